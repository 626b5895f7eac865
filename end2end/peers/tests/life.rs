//! What the orchestrator promises about time, restarts and credit, each through real HTTP.

mod client;

use client::{Client, Dir, frozen, id};
use peers::orchestrator::{Event, Kind, Orchestrator};
use serde_json::json;

fn kinds(events: &[Event], sandbox: &str) -> Vec<Kind> {
    events
        .iter()
        .filter(|event| event.sandbox_id == sandbox)
        .map(|event| event.kind.clone())
        .collect()
}

#[tokio::test]
async fn a_frozen_clock_that_moves_meters_exactly_what_it_moved() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let control = orchestrator.control();
    client.tenant_with_key().await;
    let run = client.create().await;
    control.advance_ms(90_000).unwrap();
    assert_eq!(
        client
            .public("POST", &format!("runs/{run}/hibernate"), None)
            .await
            .0,
        200
    );
    control.advance_ms(3_600_000).unwrap();
    assert_eq!(control.billed_ms(&run).unwrap(), Some(90_000));
    assert_eq!(
        client
            .public("POST", &format!("runs/{run}/resume"), None)
            .await
            .0,
        200
    );
    control.advance_ms(7).unwrap();
    let (_, destroyed) = client.public("DELETE", &format!("runs/{run}"), None).await;
    control.advance_ms(1_000).unwrap();
    assert_eq!(control.billed_ms(&run).unwrap(), Some(90_007));
    assert_eq!(destroyed["uptime_ms"], 90_007);
    let events = control.events().unwrap();
    assert_eq!(
        kinds(&events, &run),
        [
            Kind::Created,
            Kind::Hibernated,
            Kind::Resumed,
            Kind::Destroyed
        ]
    );
    let ran: i64 = events
        .chunks(2)
        .map(|pair| pair[1].occurred_at.since(pair[0].occurred_at))
        .sum();
    assert_eq!(ran, 90_007);
    assert!(
        events.windows(2).all(
            |pair| pair[0].seq + 1 == pair[1].seq && pair[0].occurred_at <= pair[1].occurred_at
        )
    );
    // Destroying again changes nothing.
    assert_eq!(
        client
            .public("DELETE", &format!("runs/{run}"), None)
            .await
            .1,
        destroyed
    );
    assert_eq!(control.events().unwrap(), events);
}

#[tokio::test]
async fn a_fast_clock_runs_fast_and_never_back() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let before = orchestrator.control().now().unwrap();
    let (status, answer) = client
        .send(
            "POST",
            "/peer/clock",
            "none",
            Some(json!({"speed": 10_000})),
        )
        .await;
    assert_eq!((status, answer["speed"].as_u64()), (200, Some(10_000)));
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let fast = orchestrator.control().now().unwrap();
    assert!(fast.since(before) >= 500_000, "{before} {fast}");
    let (_, answer) = client
        .send(
            "POST",
            "/peer/clock",
            "none",
            Some(json!({"speed": 0, "advance_ms": 5})),
        )
        .await;
    let stopped = orchestrator.control().now().unwrap();
    assert!(stopped >= fast);
    assert_eq!(answer["now"], stopped.to_string());
    assert_eq!(
        client
            .send(
                "POST",
                "/peer/clock",
                "none",
                Some(json!({"advance_ms": -1}))
            )
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn forks_and_restored_sandboxes_are_created_events() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let (account, key_id) = client.tenant_with_key().await;
    let run = client.create().await;
    let (_, forks) = client
        .public(
            "POST",
            &format!("runs/{run}/fork"),
            Some(json!({"count": 3})),
        )
        .await;
    let (_, snapshot) = client
        .public("POST", &format!("runs/{run}/snapshot"), None)
        .await;
    let (_, restored) = client
        .public(
            "POST",
            "runs/restore",
            Some(json!({"snapshot_id": snapshot["snapshot_id"]})),
        )
        .await;
    let events = orchestrator.control().events().unwrap();
    assert_eq!(events.len(), 5);
    assert!(
        events
            .iter()
            .all(|event| event.kind == Kind::Created && event.account == account)
    );
    assert!(events.iter().all(|event| event.key_id == Some(key_id)));
    let forked: Vec<&str> = events[1..4]
        .iter()
        .map(|event| event.sandbox_id.as_str())
        .collect();
    let answered: Vec<String> = forks["forks"].as_array().unwrap().iter().map(id).collect();
    assert_eq!(forked, answered);
    assert!(
        events[1..4]
            .iter()
            .all(|event| event.parent_id.as_deref() == Some(run.as_str()))
    );
    assert_eq!(
        (events[4].sandbox_id.clone(), events[4].parent_id.clone()),
        (id(&restored), None)
    );
}

#[tokio::test]
async fn a_kill_loses_nothing_that_was_answered() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let (account, key_id) = client.tenant_with_key().await;
    let run = client.create().await;
    orchestrator.control().advance_ms(1_234).unwrap();
    client
        .public("POST", &format!("runs/{run}/hibernate"), None)
        .await;
    client
        .public("POST", &format!("runs/{run}/snapshot"), None)
        .await;
    let paths = ["runs", "usage", "snapshots"];
    let mut before = Vec::new();
    for path in paths {
        before.push(client.public("GET", path, None).await);
    }
    let feed = client.control("GET", "feed", None).await;
    // No stop: everything in memory is gone. And the kill came in the middle of a line.
    drop(orchestrator);
    let journal = dir.0.join("journal.jsonl");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.extend_from_slice(br#"{"Change":[{"Tena"#);
    std::fs::write(&journal, bytes).unwrap();

    let orchestrator = Orchestrator::start(dir.options()).await.unwrap();
    let client = Client::new(orchestrator.url());
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(client.public("GET", path, None).await, before, "{path}");
    }
    assert_eq!(client.control("GET", "feed", None).await, feed);
    assert_eq!(
        client
            .control("GET", &format!("tenants/{account}/runs"), None)
            .await
            .1["runs"][0]["running_ms"],
        1_234
    );
    let (_, callers) = client
        .control("GET", &format!("keys/{key_id}/callers"), None)
        .await;
    // create, hibernate, snapshot and three reads, twice.
    assert_eq!(callers["callers"][0]["count"], 9);
    assert_eq!(callers["callers"][0]["address"], "127.0.0.0/24");
    // And once more, now from the rewritten journal.
    orchestrator.stop().await;
    let orchestrator = Orchestrator::start(dir.options()).await.unwrap();
    assert_eq!(
        Client::new(orchestrator.url())
            .control("GET", "feed", None)
            .await,
        feed
    );
}

#[tokio::test]
async fn damage_before_the_last_line_is_not_passed_over() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    client.tenant_with_key().await;
    orchestrator.stop().await;
    let journal = dir.0.join("journal.jsonl");
    let text = std::fs::read_to_string(&journal)
        .unwrap()
        .replacen("Change", "Chnage", 1);
    std::fs::write(&journal, text).unwrap();
    assert!(Orchestrator::start(dir.options()).await.is_err());
}

#[tokio::test]
async fn run_until_hibernates_at_its_very_millisecond() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let control = orchestrator.control();
    let (account, _) = client.tenant_with_key().await;
    let first = client.create().await;
    let second = client.create().await;
    let until = control.now().unwrap().plus_ms(61_234);
    let push = json!({"generation": 2, "state": "active", "run_until": until.to_string(), "max_running": 2});
    assert_eq!(
        client
            .control("PUT", &format!("tenants/{account}"), Some(push))
            .await
            .0,
        200
    );
    assert_eq!(client.public("POST", "runs", Some(json!({}))).await.0, 429);
    control.advance_ms(61_233).unwrap();
    assert_eq!(
        client.public("GET", &format!("runs/{first}"), None).await.1["status"],
        "running"
    );
    // One jump far beyond: nobody looked at the moment itself.
    control.advance_ms(1_000_000).unwrap();
    for run in [&first, &second] {
        assert_eq!(control.billed_ms(run).unwrap(), Some(61_234));
        assert_eq!(
            client.public("GET", &format!("runs/{run}"), None).await.1["status"],
            "hibernated"
        );
        let (status, refusal) = client
            .public("POST", &format!("runs/{run}/resume"), None)
            .await;
        assert_eq!(
            (status, refusal["error"].as_str()),
            (402, Some("credit_exhausted"))
        );
    }
    let hibernated: Vec<Event> = control
        .events()
        .unwrap()
        .into_iter()
        .filter(|event| event.kind == Kind::Hibernated)
        .collect();
    assert_eq!(hibernated.len(), 2);
    // What it used so far is told when it stops.
    let told = |event: &Event| (event.occurred_at, event.cpu_ms) == (until, Some(6_123));
    assert!(hibernated.iter().all(told));
    // An older generation is ignored, a newer one lets it run again.
    let older = json!({"generation": 1, "state": "active"});
    assert_eq!(
        client
            .control("PUT", &format!("tenants/{account}"), Some(older))
            .await
            .1["generation"],
        2
    );
    let newer = json!({"generation": 3, "state": "active"});
    assert_eq!(
        client
            .control("PUT", &format!("tenants/{account}"), Some(newer))
            .await
            .1["generation"],
        3
    );
    assert_eq!(
        client
            .public("POST", &format!("runs/{first}/resume"), None)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn the_auto_destroy_timer_destroys() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let control = orchestrator.control();
    client.tenant_with_key().await;
    let run = id(&client
        .public("POST", "runs", Some(json!({"timeout": 10})))
        .await
        .1);
    control.advance_ms(9_000).unwrap();
    assert_eq!(
        client
            .public(
                "PATCH",
                &format!("runs/{run}"),
                Some(json!({"timeout": 20}))
            )
            .await
            .0,
        200
    );
    control.advance_ms(100_000).unwrap();
    assert_eq!(control.billed_ms(&run).unwrap(), Some(29_000));
    assert_eq!(
        kinds(&control.events().unwrap(), &run),
        [Kind::Created, Kind::Destroyed]
    );
    let (_, answer) = client.public("GET", "runs", None).await;
    assert_eq!(answer["runs"], json!([]));
}

#[tokio::test]
async fn the_control_plane_restarts_the_timer_once_per_key() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    client.tenant_with_key().await;
    let run = client.create().await;
    let control = orchestrator.control();
    let path = format!("runs/{run}/timeout");
    let set = |seconds: i64| client.control("POST", &path, Some(json!({"timeout_s": seconds})));
    assert_eq!(set(40_000_000).await.0, 400);
    control.advance_ms(5_000).unwrap();
    let (status, shown) = set(20).await;
    assert_eq!((status, shown["cpu_ms"].as_i64()), (200, Some(500)));
    control.advance_ms(100_000).unwrap();
    assert_eq!(control.billed_ms(&run).unwrap(), Some(25_000));
    assert_eq!(set(20).await.0, 409, "what is destroyed has no timer");
    orchestrator.stop().await;
}
