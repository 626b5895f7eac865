//! Who may do what: keys, idempotent commands, and tenants that are gone. Each through real HTTP.

mod client;

use client::{Dir, KEY, frozen, sha256};
use peers::orchestrator::{Event, Kind, Orchestrator};
use serde_json::{Value, json};
use uuid::Uuid;

fn kinds(events: &[Event], sandbox: &str) -> Vec<Kind> {
    events
        .iter()
        .filter(|event| event.sandbox_id == sandbox)
        .map(|event| event.kind.clone())
        .collect()
}

#[tokio::test]
async fn a_key_works_until_it_ends_or_is_deleted_and_only_for_its_tenant() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let control = orchestrator.control();
    let (account, key_id) = client.tenant_with_key().await;
    let run = client.create().await;
    let end = control.now().unwrap().plus_ms(5_000);
    let short = json!({"account": account, "sha256": sha256("short"), "region": "us", "not_after": end.to_string()});
    assert_eq!(
        client
            .control("PUT", &format!("keys/{}", Uuid::now_v7()), Some(short))
            .await
            .0,
        200
    );
    let foreign = json!({"account": account, "sha256": sha256("eu"), "region": "eu"});
    assert_eq!(
        client
            .control("PUT", &format!("keys/{}", Uuid::now_v7()), Some(foreign))
            .await
            .0,
        200
    );
    assert_eq!(client.send("GET", "/v1/runs", "short", None).await.0, 200);
    assert_eq!(client.send("GET", "/v1/runs", "eu", None).await.0, 401);
    control.advance_ms(5_000).unwrap();
    assert_eq!(client.send("GET", "/v1/runs", "short", None).await.0, 401);

    let other = Uuid::now_v7();
    let tenant = json!({"generation": 1, "state": "active"});
    client
        .control("PUT", &format!("tenants/{other}"), Some(tenant))
        .await;
    let theirs = json!({"account": other, "sha256": sha256("theirs"), "region": "us"});
    client
        .control("PUT", &format!("keys/{}", Uuid::now_v7()), Some(theirs))
        .await;
    for (method, rest) in [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/resume"),
        ("POST", "/snapshot"),
        ("GET", "/audit"),
    ] {
        assert_eq!(
            client
                .send(method, &format!("/v1/runs/{run}{rest}"), "theirs", None)
                .await
                .0,
            404,
            "{method} {rest}"
        );
    }

    assert_eq!(client.public("GET", "runs", None).await.0, 200);
    assert_eq!(
        client
            .control("DELETE", &format!("keys/{key_id}"), None)
            .await
            .0,
        204
    );
    assert_eq!(client.public("GET", "runs", None).await.0, 401);
    let late = json!({"account": account, "sha256": sha256(KEY), "region": "us"});
    assert_eq!(
        client
            .control("PUT", &format!("keys/{key_id}"), Some(late))
            .await
            .0,
        410
    );
    assert_eq!(client.public("GET", "runs", None).await.0, 401);
}

#[tokio::test]
async fn a_command_with_a_used_key_changes_nothing() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    client.tenant_with_key().await;
    let run = client.create().await;
    let http = reqwest::Client::builder().build().unwrap();
    let send = |command: &str, key: Option<&str>| {
        let url = format!("{}/internal/v1/runs/{run}/{command}", client.url);
        let request = http.post(url).bearer_auth(client::CREDENTIAL);
        match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        }
        .send()
    };
    assert_eq!(send("hibernate", None).await.unwrap().status(), 400);
    assert_eq!(send("hibernate", Some("one")).await.unwrap().status(), 200);
    assert_eq!(send("resume", Some("two")).await.unwrap().status(), 200);
    // The first delivery's answer was lost; here it comes again.
    let again: Value = send("hibernate", Some("one"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(again["status"], "hibernated");
    assert_eq!(send("destroy", Some("one")).await.unwrap().status(), 409);
    assert_eq!(
        client.public("GET", &format!("runs/{run}"), None).await.1["status"],
        "running"
    );
    let events = orchestrator.control().events().unwrap();
    assert_eq!(
        kinds(&events, &run),
        [Kind::Created, Kind::Hibernated, Kind::Resumed]
    );
}

#[tokio::test]
async fn an_erased_tenant_leaves_its_feed_and_nothing_else() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let (account, _) = client.tenant_with_key().await;
    let run = client.create().await;
    let secret = json!({"command": "echo customer-content"});
    client
        .public("POST", &format!("runs/{run}/exec"), Some(secret))
        .await;
    assert_eq!(
        client
            .control("DELETE", &format!("tenants/{account}"), None)
            .await
            .0,
        202
    );
    assert_eq!(
        client
            .control("DELETE", &format!("tenants/{account}"), None)
            .await
            .0,
        202
    );
    orchestrator.control().advance_ms(1_000).unwrap();
    assert_eq!(
        client
            .control("DELETE", &format!("tenants/{account}"), None)
            .await
            .0,
        404
    );
    assert_eq!(client.public("GET", "runs", None).await.0, 401);
    let tenant = json!({"generation": 9, "state": "active"});
    assert_eq!(
        client
            .control("PUT", &format!("tenants/{account}"), Some(tenant))
            .await
            .0,
        410
    );
    assert_eq!(
        kinds(&orchestrator.control().events().unwrap(), &run),
        [Kind::Created, Kind::Destroyed]
    );
    orchestrator.stop().await;
    // The next start rewrites the journal without what was erased.
    Orchestrator::start(dir.options())
        .await
        .unwrap()
        .stop()
        .await;
    let journal = std::fs::read_to_string(dir.0.join("journal.jsonl")).unwrap();
    assert!(!journal.contains("customer-content"));
}
