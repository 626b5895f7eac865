//! Bad input at the forms of a stranger and at the key form: a sentence in place, what was typed is kept, nothing
//! changes, and nobody learns whose address is known.

use sqlx::PgPool;

use crate::world::{PASSWORD, World, sign_up_form};

#[sqlx::test(migrations = "../migrations")]
async fn each_problem_has_its_sentence_and_nothing_is_lost(pool: PgPool) {
    let world = World::new(pool).await;
    let long_email = format!("{}@example.org", "a".repeat(260));
    let cases: [(&str, &str, &str); 13] = [
        ("email", "", "Enter your e-mail address."),
        ("email", "ada", "This is not an e-mail address."),
        (
            "email",
            "ada@example.org\r\nBcc: eve@example.org",
            "This is not an e-mail address.",
        ),
        ("email", &long_email, "This e-mail address is too long"),
        ("password", "short", "The password is too short"),
        (
            "password",
            "aaaaaaaaaaaaaaaaaaaa",
            "This password is easy to guess",
        ),
        ("country", "", "Choose your country"),
        ("country", "XX", "Choose your country"),
        ("country", "IR", "under comprehensive sanctions"),
        ("terms", "", "Accept the Terms of Service"),
        ("aup", "no", "Accept the Acceptable Use Policy"),
        ("dpa", "", "Accept the Data Processing Agreement"),
        ("export_statement", "", "Make the export statement"),
    ];
    for (field, typed, sentence) in cases {
        let mut form = sign_up_form("ada@example.org");
        form.iter_mut().find(|(name, _)| *name == field).unwrap().1 = typed;
        let mut browser = world.browser();
        let page = browser
            .submit("/sign-up", "/api/account/sign-up", &form)
            .await
            .at("/sign-up");
        page.says(sentence);
        assert!(
            page.body.contains(&format!("href=\"#{field}\"")),
            "{field}: the summary leads to the field"
        );
        if field != "email" {
            assert!(
                page.body.contains("value=\"ada@example.org\""),
                "{field}: the address is kept"
            );
        }
        assert!(
            !page.body.contains(PASSWORD),
            "{field}: the password is not"
        );
        assert!(
            !browser.get("/sign-up").await.words().contains(sentence),
            "{field}: said once"
        );
    }
    for table in [
        "SELECT count(*) FROM users",
        "SELECT count(*) FROM mails",
        "SELECT count(*) FROM jobs",
    ] {
        assert_eq!(world.count(table).await, 0);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn all_problems_are_said_together(pool: PgPool) {
    let world = World::new(pool).await;
    let page = world
        .browser()
        .submit("/sign-up", "/api/account/sign-up", &[])
        .await
        .at("/sign-up");
    for sentence in [
        "Enter your e-mail address",
        "too short",
        "Choose your country",
        "Terms of Service",
        "export statement",
    ] {
        page.says(sentence);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_known_address_gets_the_same_answer_and_another_mail(pool: PgPool) {
    let world = World::new(pool).await;
    let (mut first, mut second) = (world.browser(), world.browser());
    let fresh = first
        .post("/api/account/sign-up", &sign_up_form("ada@example.org"))
        .await;
    world.work().await;
    let known = second
        .post("/api/account/sign-up", &sign_up_form("ADA@example.org"))
        .await;
    world.work().await;
    assert_eq!(
        (fresh.status, fresh.location()),
        (known.status, known.location())
    );
    assert_eq!(
        (fresh.body.len(), fresh.headers.len()),
        (known.body.len(), known.headers.len())
    );
    let names = |browser: &crate::browser::Browser| {
        browser
            .cookies
            .iter()
            .map(|cookie| cookie.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&first), names(&second));
    let [one, two] = [
        first.get("/check-mail").await,
        second.get("/check-mail").await,
    ];
    assert_eq!(one.words().to_lowercase(), two.words().to_lowercase());
    let mails = world.mail.mails();
    assert_eq!(mails.len(), 2);
    assert!(
        mails[0].text.contains("/verify-email/") && !mails[1].text.contains("/verify-email/"),
        "{}",
        mails[1].text
    );
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
}

#[sqlx::test(migrations = "../migrations")]
async fn links_that_are_not_ours(pool: PgPool) {
    let world = World::new(pool).await;
    let long = "a".repeat(5_000);
    for token in ["x", "%00%ff", "..%2f..%2f", "<script>", long.as_str()] {
        let mut browser = world.browser();
        let path = format!(
            "/verify-email/{}",
            token.replace('<', "%3C").replace('>', "%3E")
        );
        let answer = browser.get(&path).await;
        answer.leads_to("/verify-email");
        let answer = browser.post("/api/account/verify-email", &[]).await;
        browser
            .follow(answer)
            .await
            .at("/verify-email")
            .says("is not ours");
    }
}
