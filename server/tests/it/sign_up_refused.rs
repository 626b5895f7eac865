//! Bad input at the forms of a stranger and at the key form: a sentence in place, what was typed is kept, nothing
//! changes, and nobody learns whose address is known.

use sqlx::PgPool;

use crate::world::{OPENING, PASSWORD, World};

#[sqlx::test(migrations = "../migrations")]
async fn an_address_that_is_none_is_refused_and_kept(pool: PgPool) {
    let world = World::new(pool).await;
    let long_email = format!("{}@example.org", "a".repeat(260));
    for (typed, sentence) in [
        ("", "Enter your e-mail address."),
        ("ada", "This is not an e-mail address."),
        (
            "ada@example.org\r\nBcc: eve@example.org",
            "This is not an e-mail address.",
        ),
        (long_email.as_str(), "This e-mail address is too long"),
        (
            "käthe@example.org",
            "cannot write to an address with such letters",
        ),
    ] {
        let mut browser = world.browser();
        let page = browser
            .submit("/sign-up", "/api/account/sign-up", &[("email", typed)])
            .await
            .at("/sign-up");
        page.says(sentence);
        assert!(page.body.contains("href=\"#email\""), "leads to the field");
        assert!(
            !browser.get("/sign-up").await.words().contains(sentence),
            "{typed}: said once"
        );
    }
    for table in [
        "SELECT count(*) FROM pending_sign_ups",
        "SELECT count(*) FROM mails",
        "SELECT count(*) FROM jobs",
    ] {
        assert_eq!(world.count(table).await, 0);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn each_problem_has_its_sentence_and_nothing_is_lost(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.browser();
    world.follow_sign_up(&mut browser, "ada@example.org").await;
    let cases: [(&str, &str, &str); 11] = [
        ("password", "short", "The password is too short"),
        (
            "password",
            "zebrazebrazebra",
            "easy to guess: it repeats itself",
        ),
        (
            "password",
            "password1234567",
            "easy to guess: it is on the lists",
        ),
        (
            "password",
            "ada@example.org!",
            "easy to guess: it is made of your address",
        ),
        ("country", "", "Choose your country"),
        ("country", "XX", "Choose your country"),
        ("country", "IR", "under comprehensive sanctions"),
        ("terms", "", "Accept the Terms of Service"),
        ("aup", "no", "Accept the Acceptable Use Policy"),
        ("dpa", "", "Accept the Data Processing Agreement"),
        ("export_statement", "", "Tick the statement on sanctions"),
    ];
    for (field, typed, sentence) in cases {
        let mut form = OPENING;
        form.iter_mut().find(|(name, _)| *name == field).unwrap().1 = typed;
        let page = browser
            .submit("/open-account", "/api/account/open", &form)
            .await
            .at("/open-account");
        page.says(sentence);
        assert!(
            page.body.contains(&format!("href=\"#{field}\"")),
            "{field}: the summary leads to the field"
        );
        if field != "terms" {
            let terms = page.body.split("id=\"terms\"").nth(1).unwrap();
            let terms = terms.split('>').next().unwrap();
            assert!(terms.contains("checked"), "{field}: ticks are kept");
        }
        assert!(
            !page.body.contains(PASSWORD),
            "{field}: the password is not"
        );
        assert!(
            !browser
                .get("/open-account")
                .await
                .words()
                .contains(sentence),
            "{field}: said once"
        );
    }
    for table in [
        "SELECT count(*) FROM users",
        "SELECT count(*) FROM accounts",
        "SELECT count(*) FROM sessions",
    ] {
        assert_eq!(world.count(table).await, 0);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn all_problems_are_said_together(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.browser();
    world.follow_sign_up(&mut browser, "ada@example.org").await;
    let page = browser
        .submit("/open-account", "/api/account/open", &[])
        .await
        .at("/open-account");
    for sentence in [
        "too short",
        "Choose your country",
        "Terms of Service",
        "statement on sanctions",
    ] {
        page.says(sentence);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_known_address_gets_the_same_answer_and_another_mail(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    let before = world.mail.mails().len();
    let mut seen = Vec::new();
    for email in ["ADA@example.org", "eve@example.org"] {
        let mut browser = world.browser();
        let answer = browser
            .post("/api/account/sign-up", &[("email", email)])
            .await;
        let mut page = browser.get("/check-mail").await.words();
        page = page.replace(email, "…");
        let cookies: Vec<_> = browser
            .cookies
            .iter()
            .map(|cookie| (cookie.name.clone(), cookie.value.len()))
            .collect();
        let (headers, body) = (answer.headers.len(), answer.body.len());
        seen.push((
            answer.status,
            answer.location(),
            headers,
            body,
            cookies,
            page,
        ));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(
        world.count("SELECT count(*) FROM pending_sign_ups").await,
        3,
        "the same work for both"
    );
    world.work().await;
    let mails = world.mail.mails().split_off(before);
    assert_eq!(mails.len(), 2);
    for mail in mails {
        let is_known = mail.to[0].starts_with("ADA");
        assert_eq!(
            mail.text.contains("/open-account/"),
            !is_known,
            "{}",
            mail.text
        );
    }
    assert_eq!(world.count("SELECT count(*) FROM users").await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_pair_says_the_same_for_known_and_unknown(pool: PgPool) {
    let world = World::new(pool).await;
    world.customer("ada@example.org").await;
    let mut said = Vec::new();
    for (email, password) in [
        ("ada@example.org", "wrong wrong wrong"),
        ("eve@example.org", PASSWORD),
        ("", ""),
        ("x", "y"),
    ] {
        let mut browser = world.browser();
        let fields = [("email", email), ("password", password)];
        let page = browser
            .submit("/sign-in", "/api/session/sign-in", &fields)
            .await
            .at("/sign-in");
        page.says("This pair of e-mail address and password is not known here");
        assert!(password.is_empty() || !page.body.contains(&format!("\"{password}\"")));
        assert!(browser.cookie("sid").is_none());
        said.push(page.words());
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn names_of_keys(pool: PgPool) {
    let world = World::new(pool).await;
    let mut browser = world.customer("ada@example.org").await;
    let long = "é".repeat(61);
    for (name, sentence) in [
        ("", "Give the key a name"),
        (" \t ", "Give the key a name"),
        (long.as_str(), "The name is too long"),
        ("a\u{7}b", "another character that cannot be shown"),
        ("\u{200b}", "The name shows nothing"),
        ("\u{3164}", "The name shows nothing"),
        ("ci\u{202e}", "a character that cannot be seen"),
    ] {
        let page = browser
            .submit("/keys/new", "/api/key/create", &[("name", name)])
            .await
            .at("/keys/new");
        page.says(sentence);
        assert!(
            name.trim().is_empty() || page.body.contains(name),
            "{name:?} is kept"
        );
    }
    let script = "<script>alert(1)</script>\"'&";
    browser
        .submit("/keys/new", "/api/key/create", &[("name", script)])
        .await
        .at("/keys/created");
    world.work().await;
    let page = browser.get("/keys").await.at("/keys");
    assert!(!page.body.contains("<script>alert"));
    page.says("alert(1)");
    let alike = script.to_uppercase();
    let taken = browser
        .submit("/keys/new", "/api/key/create", &[("name", alike.as_str())])
        .await
        .at("/keys/new");
    taken.says("or one that looks the same");
}

#[sqlx::test(migrations = "../migrations")]
async fn links_that_are_not_ours(pool: PgPool) {
    let world = World::new(pool).await;
    let long = "a".repeat(5_000);
    for (token, sentence) in [
        ("x", "is not ours"),
        ("%00%ff", "Open the link in the mail again"),
        ("..%2f..%2f", "is not ours"),
        ("<script>", "is not ours"),
        (long.as_str(), "Open the link in the mail again"),
    ] {
        let mut browser = world.browser();
        let path = format!(
            "/open-account/{}",
            token.replace('<', "%3C").replace('>', "%3E")
        );
        let answer = browser.get(&path).await;
        answer.leads_to("/open-account");
        let answer = browser.post("/api/account/open", &OPENING).await;
        browser
            .follow(answer)
            .await
            .at("/open-account")
            .says(sentence);
    }
}
