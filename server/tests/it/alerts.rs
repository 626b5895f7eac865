//! The page of limit and alerts without JavaScript: every form, what is refused beside its field, and the two links that
//! open something without a session.

use axum::http::StatusCode;
use sqlx::PgPool;

use crate::world::World;

#[sqlx::test(migrations = "../migrations")]
async fn limit_and_webhook_keep_what_was_typed_and_say_what_is_wrong(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    ada.get("/alerts")
        .await
        .at("/alerts")
        .says("no limit is set");
    let refused = ada
        .submit("/alerts", "/api/limit/set", &[("monthly", "ten")])
        .await
        .at("/alerts");
    refused.says("This is not an amount of dollars");
    assert!(
        refused.body.contains("value=\"ten\""),
        "what was typed comes back"
    );
    let set = ada
        .submit("/alerts", "/api/limit/set", &[("monthly", "$25.50")])
        .await
        .at("/alerts");
    set.says("Limit set").says("of $25.50 a month");
    ada.submit("/alerts", "/api/limit/remove", &[])
        .await
        .at("/alerts")
        .says("no limit is set");

    let refused = ada
        .submit(
            "/alerts",
            "/api/webhook/set",
            &[("url", "https://10.0.0.1/x")],
        )
        .await
        .at("/alerts");
    refused.says("not on the public internet");
    let set = ada
        .submit(
            "/alerts",
            "/api/webhook/set",
            &[("url", "https://example.org/hook")],
        )
        .await
        .at("/alerts");
    set.says("Webhook set").says("whsec_");
    let before = secret(&set.body);
    let renewed = ada
        .submit("/alerts", "/api/webhook/renew", &[])
        .await
        .at("/alerts");
    assert_ne!(before, secret(&renewed.body));
    ada.submit("/alerts", "/api/webhook/remove", &[])
        .await
        .at("/alerts")
        .says("Webhook removed");

    let chosen = ada
        .submit("/alerts", "/api/alert/choose", &[("percent_80", "yes")])
        .await
        .at("/alerts");
    assert_eq!(
        chosen.body.matches(" checked").count(),
        1,
        "one box is ticked"
    );
}

fn secret(body: &str) -> String {
    let rest = body.split("whsec_").nth(1).unwrap();
    rest.split('<').next().unwrap().to_owned()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_stranger_agrees_and_leaves_by_the_mailed_link(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    let ops = [("recipient", "ops@example.net")];
    let asked = ada
        .submit("/alerts", "/api/alert/add-recipient", &ops)
        .await
        .at("/alerts");
    asked.says("asked, has not agreed");
    world.work().await;
    let mails = world.mail.mails();
    let mail = mails
        .iter()
        .rev()
        .find(|mail| mail.to[0] == "ops@example.net")
        .unwrap();
    let link = mail.text.split("/alert-recipient/").nth(1).unwrap();
    let token = link.split_whitespace().next().unwrap().to_owned();

    let mut stranger = world.browser();
    stranger
        .get(&format!("/alert-recipient/{token}"))
        .await
        .leads_to("/alert-recipient");
    let page = stranger
        .get("/alert-recipient")
        .await
        .at("/alert-recipient");
    assert!(!page.body.contains(&token) && !page.body.contains("ada@"));
    let pending = "SELECT count(*) FROM alert_recipients WHERE confirmed_at IS NULL";
    assert_eq!(
        world.count(pending).await,
        1,
        "following the link agrees to nothing"
    );
    let agreed = stranger
        .submit("/alert-recipient", "/api/alert/agree", &[])
        .await
        .at("/alert-recipient");
    agreed.says("Agreed").says("End these mails");
    assert_eq!(world.count(pending).await, 0);
    ada.get("/alerts").await.says("agreed");
    let left = stranger
        .submit("/alert-recipient", "/api/alert/stop", &[])
        .await
        .at("/alert-recipient");
    left.says("No alert comes to your address any more");
    assert!(!ada.get("/alerts").await.body.contains("ops@example.net"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_stranger_refuses_mail_for_ever_without_account_or_script(pool: PgPool) {
    let world = World::new(pool).await;
    let (mut ada, mut bob) = (
        world.customer("ada@example.org").await,
        world.customer("bob@example.org").await,
    );
    let ops = [("recipient", "ops@example.net")];
    ada.submit("/alerts", "/api/alert/add-recipient", &ops)
        .await
        .at("/alerts");
    world.work().await;
    let mails = world.mail.mails();
    let mail = mails.iter().rev().find(|mail| mail.to[0] == ops[0].1);
    let mail = mail.unwrap();
    let link = mail.text.split("/no-more-mail/").nth(1).unwrap();
    let token = link.split_whitespace().next().unwrap().to_owned();
    let html = mail.html.as_ref().unwrap();
    assert!(html.contains(&format!(
        "/no-more-mail/{token}\">Never write to me again</a>"
    )));
    assert!(
        !mail.text.contains("no further mail"),
        "which is not ours to promise"
    );

    let mut stranger = world.browser();
    stranger
        .get("/no-more-mail")
        .await
        .says("Open the link at the end of the mail");
    stranger
        .get(&format!("/no-more-mail/{token}"))
        .await
        .leads_to("/no-more-mail");
    let page = stranger.get("/no-more-mail").await.at("/no-more-mail");
    assert!(!page.body.contains(&token) && !page.body.contains("ops@"));
    let refused = "SELECT count(*) FROM targets WHERE refused_at IS NOT NULL";
    assert_eq!(
        world.count(refused).await,
        0,
        "following it refuses nothing"
    );
    stranger
        .submit("/no-more-mail", "/api/target/refuse-mail", &[])
        .await
        .at("/no-more-mail")
        .says("Nothing is sent to your address from now on");
    assert_eq!(world.count(refused).await, 1);
    bob.submit("/alerts", "/api/alert/add-recipient", &ops)
        .await
        .at("/alerts")
        .says("wants no mail that an Isorun account has sent to it");
    stranger
        .submit("/no-more-mail", "/api/target/allow-mail", &[])
        .await
        .at("/no-more-mail")
        .says("Allowed again");
    bob.submit("/alerts", "/api/alert/add-recipient", &ops)
        .await
        .at("/alerts")
        .says("asked, has not agreed");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_address_that_takes_no_mail_is_shown_as_one(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    world.mail.fault(peers::mail::MailFault::Refuse550, 1);
    let ops = [("recipient", "ops@example.net")];
    let asked = ada
        .submit("/alerts", "/api/alert/add-recipient", &ops)
        .await
        .at("/alerts");
    assert!(!asked.body.contains("takes no mail"));
    world.work().await;
    let page = ada.get("/alerts").await.at("/alerts");
    page.says("asked, has not agreed").says("takes no mail");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_grows_when_it_is_encoded_is_refused_beside_its_field(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    for url in [
        format!("https://example.org/{}", "\u{e9}".repeat(200)),
        format!("https://{}example.org/", "\u{fc}ber.".repeat(60)),
    ] {
        let refused = ada
            .submit("/alerts", "/api/webhook/set", &[("url", &url)])
            .await
            .at("/alerts");
        refused.says("The address is too long: 500 characters at most");
        assert!(refused.body.contains(&url), "what was typed comes back");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_calendar_link_needs_no_session_and_ends_when_revoked(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    ada.submit("/alerts", "/api/limit/set", &[("monthly", "5")])
        .await
        .at("/alerts");
    let made = ada
        .submit("/alerts", "/api/calendar/create", &[])
        .await
        .at("/alerts");
    let rest = made.body.split("/calendar/").nth(1).unwrap();
    let path = format!("/calendar/{}", rest.split('<').next().unwrap());
    let feed = world.browser().get(&path).await;
    assert_eq!(feed.status, StatusCode::OK);
    assert_eq!(feed.headers["content-type"], "text/calendar; charset=utf-8");
    assert_eq!(feed.headers["cache-control"], "no-store");
    assert!(feed.headers.get("set-cookie").is_none());
    assert!(
        feed.body
            .contains("SUMMARY:Isorun monthly limit of $5.00 starts again\r\n"),
        "{}",
        feed.body
    );
    let token = path.trim_start_matches("/calendar/").to_owned();
    let stored = "SELECT count(*) FROM calendars WHERE length(token_sha256) = 32";
    assert_eq!((world.count(stored).await, token.len()), (1, 43));
    ada.submit("/alerts", "/api/calendar/revoke", &[])
        .await
        .at("/alerts")
        .says("Calendar link revoked");
    assert_eq!(
        world.browser().get(&path).await.status,
        StatusCode::NOT_FOUND
    );
}
