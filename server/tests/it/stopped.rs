//! When everything stops, every page says what ended, when, what it did and what to do; and the list tells what its owner
//! hibernated from what was hibernated for them.

use backend::watch;
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use crate::browser::Browser;
use crate::world::World;

async fn key(world: &World, ada: &mut Browser) -> String {
    let created = ada
        .submit("/keys/new", "/api/key/create", &[("name", "ci")])
        .await
        .at("/keys/created");
    world.work().await;
    let from = created.body.find("sk_live_us_").unwrap();
    let text = created.body[from..].split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    text.into_iter().next().unwrap().to_owned()
}

async fn turn(world: &World) {
    world.meter().await;
    watch::round(&world.backend).await.unwrap();
    world.work().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn every_page_says_why_nothing_runs_and_the_list_who_stopped_what(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let mut ada = world.customer("ada@example.org").await;
    let key = key(&world, &mut ada).await;
    ada.submit("/alerts", "/api/limit/set", &[("monthly", "0.01")])
        .await
        .at("/alerts");
    let (slept, stopped) = (world.start(&key).await, world.start(&key).await);
    world.act(&key, &slept, "hibernate").await;
    turn(&world).await;
    let page = ada.get("/overview").await.at("/overview");
    assert!(!page.words().contains("Stopped"), "{}", page.words());

    // One cent is over after 879 seconds at most.
    world.control().advance_ms(1_000_000).unwrap();
    turn(&world).await;
    let (status, refusal) = world
        .call(Method::POST, "runs", &key, Some(json!({})))
        .await;
    assert_eq!(
        (status, refusal["error"].as_str()),
        (402, Some("limit_reached"))
    );
    for path in [
        "/overview",
        "/sandboxes",
        "/keys",
        "/usage",
        "/credit",
        "/alerts",
    ] {
        let page = ada.get(path).await.at(path);
        page.says("Stopped: your monthly limit is reached")
            .says("1 sandbox was hibernated: its disk is kept and costs nothing")
            .says("Sandboxes start and resume again when the limit is raised, or from 1 ");
    }
    let list = ada.get("/sandboxes").await.at("/sandboxes");
    let row = |id: &str| {
        let from = list.body.find(&format!("data-sandbox=\"{id}\"")).unwrap();
        list.body[from..].split("</tr>").next().unwrap().to_owned()
    };
    assert!(row(&slept).contains("by you"), "{}", row(&slept));
    assert!(row(&stopped).contains("limit reached"), "{}", row(&stopped));
    let path = format!("/sandboxes/{stopped}");
    let one = ada.get(&path).await.at(&path);
    one.says("because your monthly limit was reached")
        .says("Its disk is kept");

    // The moment is that of the feed, and it stays when we look again.
    let at = world
        .count("SELECT count(*) FROM accounts JOIN sandboxes USING (account_id) WHERE stopped_at = run_until AND stop_reason = 'limit'")
        .await;
    assert_eq!(at, 1);
    ada.submit("/alerts", "/api/limit/remove", &[]).await;
    turn(&world).await;
    let page = ada.get("/overview").await.at("/overview");
    assert!(!page.words().contains("Stopped:"), "{}", page.words());
    world.act(&key, &stopped, "resume").await;
    turn(&world).await;
    let one = ada.get(&path).await.at(&path);
    assert!(!one.words().contains("was reached"), "it runs again");
    world.destroy(&key, &stopped).await;
    turn(&world).await;
    ada.get(&path)
        .await
        .at(&path)
        .says("by one of your keys or on this dashboard");
}

#[sqlx::test(migrations = "../migrations")]
async fn credit_that_ended_while_nobody_looked_is_dated_by_what_it_stopped(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let mut ada = world.customer("ada@example.org").await;
    let key = key(&world, &mut ada).await;
    let id = world.start(&key).await;
    turn(&world).await;
    // $50 last 1,219.5 hours; nobody looks for 60 days.
    world.control().advance_ms(60 * 86_400_000).unwrap();
    turn(&world).await;
    let dated = world
        .count("SELECT count(*) FROM accounts JOIN sandboxes USING (account_id) WHERE stopped_at = run_until AND stop_reason = 'credit'")
        .await;
    assert_eq!(dated, 1);
    ada.get("/sandboxes")
        .await
        .at("/sandboxes")
        .says("Stopped: credit is used up")
        .says("credit ended");
    let path = format!("/sandboxes/{id}");
    ada.get(&path).await.at(&path).says("because credit ended");
}
