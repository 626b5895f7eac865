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
