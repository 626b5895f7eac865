//! Whatever stands in an address, no page and no file breaks: every route with every word that a page or a file reads, each
//! with what a slip of the finger or a bad mind may say. And a cursor that is none of ours is the first page, everywhere.

use std::collections::BTreeSet;
use std::path::Path;

use app::routes::{PRIVATE_ROUTES, PUBLIC_ROUTES, each_twin};
use app::twin::{Twin, Visit};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::act::Act;
use sqlx::PgPool;

use crate::browser::{Browser, Page};
use crate::matrix::{form, path};
use crate::routes::example;
use crate::usage_lives::live;
use crate::world::World;

/// How the sources ask for a word of an address.
const ASKING: [&str; 8] = [
    "get(\"",
    "get_all(\"",
    "said(\"",
    "word(\"",
    "bound(\"",
    "typed(\"",
    "kept(\"",
    "read(\"",
];

/// Every word that a file reads, as the twins declare them.
fn declared() -> BTreeSet<String> {
    struct Words(BTreeSet<String>);
    impl Visit for Words {
        fn twin<T: Twin>(&mut self) {
            self.0
                .extend(T::WORDS.iter().map(|word| word.name.to_owned()));
        }
    }
    let mut words = Words(["after", "limit"].map(str::to_owned).into());
    each_twin(&mut words);
    words.0
}

/// Every word that a page or a file may read, from the sources: too many rather than one too few.
fn words() -> BTreeSet<String> {
    let mut words = declared();
    words.insert(FIELD.to_owned());
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app");
    collect(&app.join("src"), &mut words);
    collect(&app.join("domain/src/usage"), &mut words);
    words
}

const FIELD: &str = app::action::form_token::FIELD;

fn collect(folder: &Path, words: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, words);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for asking in ASKING {
                let found = text
                    .split(asking)
                    .skip(1)
                    .filter_map(|rest| rest.split('"').next());
                let is_name =
                    |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                words.extend(found.filter(is_name).map(str::to_owned));
            }
        }
    }
}

/// What an attacker or a slip of the finger says, as it stands in an address.
const SAID: &[&str] = &[
    "",
    "%00",
    "a%00b",
    "%FF%FE",
    "%C0%80",
    "%ED%A0%80",
    "%",
    "%zz",
    "%F0%9F%92%A9",
    "\u{202e}x",
    "-1",
    "0",
    "+1",
    "1e9",
    "10,50",
    "NaN",
    "2147483648",
    "9223372036854775808",
    "99999999999999999999999999999999999999999",
    "-99999999999999999999",
    "0x10",
    "١٢",
    "2026-13-01",
    "2026-02-30",
    "-5000-01-01",
    "9999-12-31",
    "0000-00-00",
    "+262143-12-31",
    "2026-11-24T00:00:00Z",
    "2026-11-24T25:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2200-12-31T23:59:59.999999999Z",
    "own",
    "all",
    "none",
    "sandbox",
    "yes",
    "Mars/Base",
    "../../etc/passwd",
    "UTC%00",
    "Europe/Amsterdam",
    "2x4096",
    "0x0",
    "99999999999x1",
    "-1x-1",
    "2147483647x2147483647",
    "01890000-0000-7000-8000-00000000000a",
    "run0001",
    "'%3B--",
    "%27%20OR%201=1",
    "{}",
    "%3Cscript%3E",
    "//evil.example",
    "%5C%5Cevil",
    "a&a",
    "a=b",
    "%25s%25n",
    "MCAA",
];
/// What cursors held before they were signed, and what such could hold.
const PLACES: &[&[u8]] = &[
    b"0 \0",
    b"0 ",
    b" ",
    b"-219900000000000000 x",
    b"253402300799999999 x",
    b"9223372036854775807 x",
    b"170141183460469231731687303715884105727 x",
    b"-62135596800000001 x",
    b"0 01890000-0000-7000-8000-00000000000a",
    b"0 run0001",
    b"0 01890000-0000-7000-8000-00000000000a 5 ff",
    b"\xff\xfe",
    b"0 01890000-0000-7000-8000-00000000000a -",
];

fn hostile() -> Vec<String> {
    let said = SAID.iter().map(|said| (*said).to_owned());
    let cursors = PLACES.iter().map(|place| URL_SAFE_NO_PAD.encode(place));
    let long = ["x".repeat(3_000), "%00".repeat(300)];
    said.chain(long).chain(cursors).collect()
}

async fn ask(browser: &mut Browser, address: &str) -> Option<Page> {
    // What no client can send is nobody's address.
    let request = Request::get(address)
        .header("accept", "text/html")
        .body(Body::empty())
        .ok()?;
    Some(browser.send(request).await)
}

fn addresses() -> Vec<String> {
    let twins = crate::twins::addresses().into_iter().map(|(path, _)| path);
    let pages = PRIVATE_ROUTES
        .iter()
        .chain(PUBLIC_ROUTES)
        .map(|route| example(route));
    let edge = crate::routes::EDGE.iter().map(|route| example(route));
    twins.chain(pages).chain(edge).collect()
}

/// What an address is asked. Pages read every word, whatever another one says; a file refuses the first that it does not know
/// (and reads the same words whatever it is written as), and the list of intervals one without a window: these are asked each word alone.
fn queries(address: &str, words: &BTreeSet<String>, hostile: &[String]) -> Vec<String> {
    let mut queries = Vec::new();
    let is_file = address.ends_with(".json");
    let base = if address == "/usage/intervals" {
        "from=2024-01-01T00:00:00Z&to=2024-12-31T00:00:00Z&"
    } else {
        ""
    };
    for said in hostile {
        if is_file || !base.is_empty() {
            queries.extend(declared().iter().map(|word| format!("{base}{word}={said}")));
        }
        let all: Vec<String> = words.iter().map(|word| format!("{word}={said}")).collect();
        queries.push(all.join("&"));
    }
    queries
}

#[sqlx::test(migrations = "../migrations")]
async fn nothing_that_an_address_says_breaks_a_page_or_a_file(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("usage is put into the tables by hand");
    let mut ada = world.customer("ada@example.org").await;
    live(&world, 5).await;
    let (words, hostile) = (words(), hostile());
    for word in [
        "after", "state", "kind", "reach", "stop", "count", "vcpus", "gib", "from", "to", "zone",
        "bar", "sandbox",
    ] {
        assert!(
            words.contains(word),
            "{word} is read no more, or in another way: {words:?}"
        );
    }
    let mut addresses = addresses();
    addresses.push("/sandboxes/run0001".to_owned());
    let mut asked = 0;
    for address in &addresses {
        for query in queries(address, &words, &hostile) {
            let Some(page) = ask(&mut ada, &format!("{address}?{query}")).await else {
                continue;
            };
            let is_told = page.status.is_success()
                || page.status.is_redirection()
                || page.status.is_client_error();
            assert!(is_told, "{} {address}?{query}", page.status);
            asked += 1;
        }
        for turned in [
            "range=own&from=2026-11-05&to=2026-10-20",
            "from=2026-11-05T00:00:00Z&to=2026-10-20T00:00:00Z",
            "?",
            "&&&=&",
            "a=1&a=2",
            "%00=%00",
        ] {
            if let Some(page) = ask(&mut ada, &format!("{address}?{turned}")).await {
                assert!(
                    !page.status.is_server_error(),
                    "{} {address}?{turned}",
                    page.status
                );
            }
        }
    }
    assert!(asked > 1_000, "{asked}");
}

#[sqlx::test(migrations = "../migrations")]
async fn nothing_that_a_form_says_breaks_it(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let long = "é".repeat(3_000);
    let (digits, said) = (
        "9".repeat(60),
        ["\0", "a\0b", "\u{feff}", "\u{202e}x", "-1", "1e9"],
    );
    let acts = Act::ALL.iter().copied().filter(|act| *act != Act::SignOut);
    for act in acts {
        for (place, (name, _)) in form(act).fields.iter().enumerate() {
            for said in said.iter().copied().chain([&*long, &*digits]) {
                let mut fields = form(act).fields.to_vec();
                fields[place].1 = said;
                let answer = ada.post(&path(act), &fields).await;
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{act:?} {name}");
                let page = ada.follow(answer).await;
                assert!(page.status.is_success(), "{act:?} {name}: {}", page.status);
                let words = page.words();
                assert!(
                    !words.contains("Something broke"),
                    "{act:?} {name} {said:?}: {words}"
                );
            }
        }
    }
}

/// What a page says, but for how many seconds ago something was.
fn unhurried(page: &Page) -> String {
    let words = page.words();
    let parts = words.split(" s ago");
    parts
        .map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()))
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_cursor_that_is_none_of_ours_is_the_first_page(pool: PgPool) {
    let world = World::new(pool).await;
    world.expect_findings("usage is put into the tables by hand");
    let mut ada = world.customer("ada@example.org").await;
    live(&world, 60).await;
    let window = "from=2024-01-01T00:00:00Z&to=2024-12-31T00:00:00Z&";
    for (path, words) in [
        ("/keys", ""),
        ("/sandboxes", ""),
        ("/alerts", ""),
        ("/waste", ""),
        ("/credit", ""),
        ("/usage/intervals", window),
        ("/sandboxes/run0001", ""),
    ] {
        let first = ada.get(&format!("{path}?{words}")).await.at(path);
        let first = unhurried(&first);
        for said in hostile() {
            let Some(page) = ask(&mut ada, &format!("{path}?{words}after={said}")).await else {
                continue;
            };
            assert_eq!(page.status, StatusCode::OK, "{path} {said}");
            assert_eq!(unhurried(&page), first, "{path} {said}");
        }
    }
    // A cursor of ours goes on, and is none for another account, another list, or a sandbox.
    let next = |page: &Page| {
        let next = page.body.split("after=").nth(1).expect("no second page");
        next.split('"').next().unwrap().to_owned()
    };
    let (first, mut eve) = (
        ada.get("/sandboxes").await,
        world.customer("eve@example.net").await,
    );
    let cursor = next(&first);
    let second = ada
        .get(&format!("/sandboxes?after={cursor}"))
        .await
        .at("/sandboxes");
    assert_ne!(second.words(), first.words());
    let hers = eve.get("/sandboxes").await.words();
    assert_eq!(
        eve.get(&format!("/sandboxes?after={cursor}")).await.words(),
        hers
    );
    let keys = ada.get("/keys").await.words();
    assert_eq!(
        ada.get(&format!("/keys?after={cursor}")).await.words(),
        keys
    );
}
