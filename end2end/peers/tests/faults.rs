//! Every fault switch fails in its own way, for as many requests as asked, and damages the feed as asked.

mod client;

use std::time::Duration;

use client::{Client, Dir, frozen};
use peers::orchestrator::{Appended, Fault, Kind, Plane, Switch};
use serde_json::json;
use uuid::Uuid;

async fn switch(client: &Client, plane: &str, fault: &str, times: u32) {
    let body = json!({"plane": plane, "fault": fault, "times": times});
    assert_eq!(
        client
            .send("POST", "/peer/faults", "none", Some(body))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn faults_of_a_plane_hit_that_plane_and_pass() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    client.tenant_with_key().await;
    let try_create = || client.try_send("POST", "/v1/runs", client::KEY, Some("{}"));
    let events = || orchestrator.control().events().unwrap().len();

    switch(&client, "public", "refuse", 2).await;
    assert!(try_create().await.is_err());
    assert!(try_create().await.is_err());
    assert_eq!(events(), 0, "refused without effect");
    assert_eq!(try_create().await.unwrap().0, 201);

    switch(&client, "public", "drop_answer", 1).await;
    assert!(try_create().await.is_err());
    assert_eq!(events(), 2, "the effect happened, only the answer is lost");

    switch(&client, "public", "error", 1).await;
    assert_eq!(try_create().await.unwrap().0, 500);
    switch(&client, "public", "garbage", 1).await;
    let (status, text) = try_create().await.unwrap();
    assert_eq!(status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
    assert_eq!(events(), 2);

    switch(&client, "public", "hang", 1).await;
    assert!(
        tokio::time::timeout(Duration::from_millis(300), try_create())
            .await
            .is_err()
    );

    switch(&client, "feed", "error", 1).await;
    switch(&client, "control", "error", 1).await;
    let account = Uuid::now_v7();
    assert_eq!(client.control("GET", "feed", None).await.0, 500);
    assert_eq!(client.control("GET", "feed", None).await.0, 200);
    assert_eq!(
        client
            .control("DELETE", &format!("keys/{account}"), None)
            .await
            .0,
        500
    );

    orchestrator
        .control()
        .fault(Switch {
            plane: Plane::Feed,
            fault: Fault::Refuse,
            times: 1_000,
        })
        .unwrap();
    assert_eq!(
        client.send("DELETE", "/peer/faults", "none", None).await.0,
        204
    );
    assert_eq!(client.control("GET", "feed", None).await.0, 200);
    let body = json!({"plane": "moon", "fault": "refuse"});
    assert_eq!(
        client
            .send("POST", "/peer/faults", "none", Some(body))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn the_feed_can_be_rewritten_skipped_and_filled_with_nonsense() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let control = orchestrator.control();
    client.tenant_with_key().await;
    client.create().await;
    let before = control.events().unwrap();
    assert_eq!(
        client
            .send(
                "POST",
                "/peer/feed/rewrite",
                "none",
                Some(json!({"seq": 1}))
            )
            .await
            .0,
        204
    );
    assert_eq!(
        client
            .send(
                "POST",
                "/peer/feed/rewrite",
                "none",
                Some(json!({"seq": 7}))
            )
            .await
            .0,
        404
    );
    let after = control.events().unwrap();
    assert_ne!(before, after);
    assert_eq!(before[0].event_id, after[0].event_id);

    assert_eq!(
        client.send("POST", "/peer/feed/skip", "none", None).await.0,
        204
    );
    client.create().await;
    let seqs: Vec<u64> = control
        .events()
        .unwrap()
        .iter()
        .map(|event| event.seq)
        .collect();
    assert_eq!(seqs, [1, 3]);

    let earlier = control.now().unwrap().plus_ms(-60_000);
    let nonsense = json!({"events": [
        {"sandbox_id": "run00000000000000aa"},
        {"sandbox_id": "run00000000000000aa", "kind": "destroyed", "occurred_at": earlier.to_string(), "vcpus": -1},
        {"kind": "exploded"},
    ]});
    let (status, answer) = client
        .send("POST", "/peer/feed/append", "none", Some(nonsense))
        .await;
    assert_eq!(
        (status, answer["events"].as_array().map(Vec::len)),
        (200, Some(3))
    );
    let appended = control
        .append(vec![Appended {
            kind: Some(Kind::Unreachable),
            ..Appended::default()
        }])
        .unwrap();
    assert_eq!(appended[0].seq, 7);
    let (_, page) = client.control("GET", "feed", None).await;
    assert_eq!(page["events"].as_array().map(Vec::len), Some(6));
    assert_eq!(page["events"][4]["kind"], "exploded");
    let (_, state) = client.send("GET", "/peer/state", "none", None).await;
    assert_eq!(state["events"], 6);
}

/// While sandboxes start and stop from many connections at once, a reader that trusts the watermark never sees an
/// older event turn up later, and no number is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_feed_is_gapless_and_its_watermark_is_honest() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    orchestrator.control().set_speed(1_000).unwrap();
    let client = std::sync::Arc::new(client);
    client.tenant_with_key().await;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let client = std::sync::Arc::clone(&client);
            tokio::spawn(async move {
                for _ in 0..15 {
                    let run = client.create().await;
                    client.public("DELETE", &format!("runs/{run}"), None).await;
                }
            })
        })
        .collect();
    let (mut cursor, mut last_seq, mut promised) = (String::new(), 0, String::new());
    while last_seq < 120 {
        let (_, page) = client
            .control("GET", &format!("feed?limit=7{cursor}"), None)
            .await;
        for event in page["events"].as_array().unwrap() {
            assert_eq!(event["seq"].as_u64(), Some(last_seq + 1));
            last_seq += 1;
            // RFC 3339 in one form sorts as text.
            assert!(
                event["occurred_at"].as_str().unwrap() >= promised.as_str(),
                "{event} before {promised}"
            );
        }
        let watermark = page["watermark_at"].as_str().unwrap().to_owned();
        assert!(watermark >= promised);
        promised = watermark;
        cursor = format!("&after={}:{last_seq}", page["epoch"].as_str().unwrap());
    }
    for writer in writers {
        writer.await.unwrap();
    }
}
