//! Drives every operation of docs/orchestrator.yaml over HTTP and holds each exchange against it. Fails on an
//! operation that was not driven, and on a route that the document does not have.
#![expect(
    clippy::unwrap_used,
    reason = "an answer without what the test needs has failed it"
)]

mod client;

use std::collections::BTreeSet;

use client::{Client, Dir, KEY, frozen, id, sha256};
use peers::{
    contract::{Contract, Exchange, check},
    orchestrator::Orchestrator,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[test]
fn the_document_is_sound_and_has_exactly_the_routes_of_the_orchestrator() {
    let contract = Contract::load().unwrap();
    assert_eq!(contract.check_itself(), Vec::<String>::new());
    let documented: BTreeSet<_> = contract.operations().into_iter().collect();
    let served: BTreeSet<_> = Orchestrator::operations()
        .into_iter()
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    assert_eq!(documented, served);
}

#[tokio::test]
async fn every_operation_keeps_the_contract() {
    let dir = Dir::new();
    let (orchestrator, client) = frozen(&dir).await;
    let (account, key_id) = client.tenant_with_key().await;
    drive_public(&client).await;
    drive_control(&client, account, key_id).await;
    let good = std::mem::take(&mut *client.exchanges.lock().unwrap());
    for exchange in &good {
        assert_eq!(check(exchange), Ok(()), "{exchange:#?}");
        assert!(exchange.status < 400, "{exchange:#?}");
    }
    drive_refusals(&client, account, key_id).await;
    let contract = Contract::load().unwrap();
    let refused = std::mem::take(&mut *client.exchanges.lock().unwrap());
    for exchange in &refused {
        assert_eq!(
            contract.check_response(exchange),
            Vec::<String>::new(),
            "{exchange:#?}"
        );
    }
    // The peer saw the same control-plane exchanges as the client.
    let seen = orchestrator.control().exchanges();
    assert!(!seen.is_empty());
    for exchange in &seen {
        assert_eq!(
            contract.check_response(exchange),
            Vec::<String>::new(),
            "{exchange:#?}"
        );
    }
    let driven: BTreeSet<_> = good
        .iter()
        .map(|exchange| {
            (
                exchange.method.clone(),
                contract.template(exchange).unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let documented: BTreeSet<_> = contract.operations().into_iter().collect();
    assert_eq!(
        documented.difference(&driven).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new()
    );
    orchestrator.stop().await;
}

async fn drive_public(client: &Client) {
    assert_eq!(client.send("GET", "/healthz", "none", None).await.0, 200);
    let run = client.create().await;
    let at = |rest: &str| format!("runs/{run}{rest}");
    let command = json!({"command": "node -v", "timeout": 30});
    for (method, path, body) in [
        ("GET", "runs".to_owned(), None),
        ("GET", at(""), None),
        ("PATCH", at(""), Some(json!({"timeout": 60}))),
        ("POST", at("/exec"), Some(command)),
        ("POST", at("/files/upload?path=/a"), Some(json!("content"))),
        ("GET", at("/files/download?path=/a"), None),
        ("GET", at("/files?path=/"), None),
        ("POST", at("/hibernate"), None),
        ("POST", at("/resume"), None),
        ("GET", at("/audit"), None),
        ("POST", at("/fork"), Some(json!({"count": 2}))),
        ("POST", at("/fork"), None),
        ("GET", "usage".to_owned(), None),
        ("GET", "network-profiles".to_owned(), None),
    ] {
        let (status, answer) = client.public(method, &path, body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
    }
    let (_, snapshot) = client.public("POST", &at("/snapshot"), None).await;
    let snapshot_id = snapshot["snapshot_id"].as_str().unwrap();
    let (status, restored) = client
        .public(
            "POST",
            "runs/restore",
            Some(json!({"snapshot_id": snapshot_id})),
        )
        .await;
    assert_eq!(
        (status, restored["status"].as_str()),
        (201, Some("running"))
    );
    let (_, snapshots) = client.public("GET", "snapshots", None).await;
    assert_eq!(snapshots["snapshots"][0]["id"], snapshot_id);
    let (_, destroyed) = client.public("DELETE", &at(""), None).await;
    assert_eq!(destroyed["status"], "destroyed");
    let (_, history) = client.public("GET", "runs/history", None).await;
    assert_eq!(history["sandboxes"][0]["id"], run);
    assert_eq!(
        client
            .public("DELETE", &format!("snapshots/{snapshot_id}"), None)
            .await
            .0,
        200
    );
}

async fn drive_control(client: &Client, account: Uuid, key_id: Uuid) {
    let run = client.create().await;
    let (_, snapshot) = client
        .public("POST", &format!("runs/{run}/snapshot"), None)
        .await;
    let timeout = json!({"timeout_s": 300});
    let (status, shown) = client
        .control("POST", &format!("runs/{run}/timeout"), Some(timeout))
        .await;
    assert_eq!((status, shown["cpu_ms"].as_i64()), (200, Some(0)));
    for (method, path) in [
        ("POST", format!("runs/{run}/hibernate")),
        ("POST", format!("runs/{run}/resume")),
        ("GET", format!("runs/{run}/audit")),
        ("GET", format!("tenants/{account}/runs")),
        ("GET", format!("tenants/{account}/snapshots")),
        (
            "DELETE",
            format!("snapshots/{}", snapshot["snapshot_id"].as_str().unwrap()),
        ),
        ("POST", format!("runs/{run}/destroy")),
        ("GET", format!("keys/{key_id}/callers")),
        ("GET", "feed".to_owned()),
        ("GET", "feed?limit=2".to_owned()),
    ] {
        let (status, answer) = client.control(method, &path, None).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
    }
    let (_, page) = client.control("GET", "feed?limit=10000", None).await;
    let cursor = format!("feed?after={}:3", page["epoch"].as_str().unwrap());
    let (_, rest) = client.control("GET", &cursor, None).await;
    assert_eq!(rest["events"][0]["seq"], 4);
    let other = Uuid::now_v7();
    let full = json!({"generation": 1, "state": "active", "run_until": "2030-01-01T00:00:00.000Z", "max_running": 3});
    assert_eq!(
        client
            .control("PUT", &format!("tenants/{other}"), Some(full))
            .await
            .0,
        200
    );
    let other_key = Uuid::now_v7();
    let key = json!({"account": other, "sha256": sha256("other"), "region": "us", "not_after": "2030-01-01T00:00:00.000Z"});
    assert_eq!(
        client
            .control("PUT", &format!("keys/{other_key}"), Some(key))
            .await
            .0,
        200
    );
    assert_eq!(
        client
            .control("DELETE", &format!("keys/{other_key}"), None)
            .await
            .0,
        204
    );
    assert_eq!(
        client
            .control("DELETE", &format!("tenants/{other}"), None)
            .await
            .0,
        202
    );
}

/// Requests that must be refused, each with the status it must get.
async fn drive_refusals(client: &Client, account: Uuid, key_id: Uuid) {
    let gone = Uuid::now_v7();
    assert_eq!(
        client
            .control("DELETE", &format!("keys/{gone}"), None)
            .await
            .0,
        204
    );
    let refused = refused_tenants(account, gone)
        .into_iter()
        .chain(refused_keys(account, key_id, gone))
        .chain(refused_reads(gone));
    for (status, method, path, body) in refused {
        let (got, answer) = client.control(method, &path, body).await;
        assert_eq!(got, status, "{method} {path}: {answer}");
    }
    for (status, method, path, body) in [
        (400, "POST", "runs", Some(json!({"vcpus": 0}))),
        (400, "POST", "runs", Some(json!({"image": ""}))),
        (400, "POST", "runs/restore", Some(json!({}))),
        (
            404,
            "POST",
            "runs/restore",
            Some(json!({"snapshot_id": "snap0"})),
        ),
        (404, "GET", "runs/run0000000000000000", None),
        (404, "DELETE", "snapshots/snap0", None),
    ] {
        let (got, answer) = client.public(method, path, body).await;
        assert_eq!(got, status, "{method} {path}: {answer}");
    }
    assert_eq!(
        client.send("GET", "/internal/v1/feed", KEY, None).await.0,
        401,
        "a customer key on the control plane"
    );
    assert_eq!(
        client
            .send("GET", "/v1/runs", client::CREDENTIAL, None)
            .await
            .0,
        401
    );
    drive_standing(client, account).await;
}

/// Status, method, path and body of a request.
type Refused = (u16, &'static str, String, Option<Value>);

fn refused_tenants(account: Uuid, gone: Uuid) -> Vec<Refused> {
    let put = |status, path: String, body| (status, "PUT", path, Some(body));
    let tenant = |generation: u64, state: &str| json!({"generation": generation, "state": state});
    let timed = json!({"generation": 1, "state": "active", "run_until": "tomorrow"});
    vec![
        put(400, format!("tenants/{gone}"), tenant(0, "active")),
        put(400, format!("tenants/{gone}"), tenant(1, "asleep")),
        put(400, format!("tenants/{gone}"), timed),
        put(400, "tenants/not-a-uuid".to_owned(), tenant(1, "active")),
        put(409, format!("tenants/{account}"), tenant(1, "suspended")),
        (404, "DELETE", format!("tenants/{gone}"), None),
    ]
}

fn refused_keys(account: Uuid, key_id: Uuid, gone: Uuid) -> Vec<Refused> {
    let put = |status, key: Uuid, body| (status, "PUT", format!("keys/{key}"), Some(body));
    let key = |hash: &str| json!({"account": account, "sha256": sha256(hash), "region": "us"});
    vec![
        put(
            400,
            gone,
            json!({"account": account, "sha256": "ABC", "region": "us"}),
        ),
        put(
            404,
            Uuid::now_v7(),
            json!({"account": gone, "sha256": sha256("x"), "region": "us"}),
        ),
        put(409, key_id, key("another")),
        put(409, Uuid::now_v7(), key(KEY)),
        put(410, gone, key("late")),
    ]
}

fn refused_reads(gone: Uuid) -> Vec<Refused> {
    let get = |status, path: String| (status, "GET", path, None);
    vec![
        get(400, "feed?limit=0".to_owned()),
        get(400, "feed?limit=10001".to_owned()),
        get(400, "feed?after=nonsense".to_owned()),
        get(409, "feed?after=0123456789ab:0".to_owned()),
        get(404, format!("tenants/{gone}/runs")),
        get(404, format!("keys/{gone}/callers")),
        (
            404,
            "POST",
            "runs/run0000000000000000/destroy".to_owned(),
            None,
        ),
    ]
}

async fn drive_standing(client: &Client, account: Uuid) {
    let run = client.create().await;
    for (generation, state, until, status) in [
        (2, "suspended", None, 403),
        (3, "active", Some("2020-01-01T00:00:00.000Z"), 402),
        (4, "closed", None, 403),
    ] {
        let body = json!({"generation": generation, "state": state, "run_until": until});
        assert_eq!(
            client
                .control("PUT", &format!("tenants/{account}"), Some(body))
                .await
                .0,
            200
        );
        for (method, path) in [
            ("POST", "runs".to_owned()),
            ("POST", format!("runs/{run}/resume")),
        ] {
            let body = (path == "runs").then(|| json!({}));
            assert_eq!(
                client.public(method, &path, body).await.0,
                status,
                "{state} {path}"
            );
        }
        assert_eq!(
            client
                .control("POST", &format!("runs/{run}/resume"), None)
                .await
                .0,
            status
        );
    }
    let body = json!({"generation": 5, "state": "active", "max_running": 0});
    assert_eq!(
        client
            .control("PUT", &format!("tenants/{account}"), Some(body))
            .await
            .0,
        200
    );
    assert_eq!(client.public("POST", "runs", Some(json!({}))).await.0, 429);
    assert_eq!(
        client
            .public(
                "POST",
                &format!("runs/{run}/exec"),
                Some(json!({"command": "a"}))
            )
            .await
            .0,
        409
    );
    assert_eq!(
        id(&client.public("GET", &format!("runs/{run}"), None).await.1),
        run
    );
}

#[test]
fn the_check_notices_what_differs() {
    let good = Exchange {
        method: "PUT".to_owned(),
        path: format!("/internal/v1/tenants/{}", Uuid::nil()),
        query: String::new(),
        headers: vec!["idempotency-key".to_owned()],
        request: Some(r#"{"generation":1,"state":"active"}"#.to_owned()),
        status: 200,
        content_type: Some("application/json".to_owned()),
        response: Some(format!(
            r#"{{"account":"{}","generation":1,"state":"active"}}"#,
            Uuid::nil()
        )),
    };
    assert_eq!(check(&good), Ok(()));
    let worse: [fn(&mut Exchange); 8] = [
        |exchange| exchange.path = "/internal/v1/elsewhere".to_owned(),
        |exchange| exchange.path = "/internal/v1/tenants/not-a-uuid".to_owned(),
        |exchange| exchange.query = "force=1".to_owned(),
        |exchange| exchange.headers.clear(),
        |exchange| exchange.request = None,
        |exchange| exchange.request = Some(r#"{"generation":0,"state":"active"}"#.to_owned()),
        |exchange| exchange.status = 418,
        |exchange| exchange.response = Some("{}".to_owned()),
    ];
    for (number, worsen) in worse.into_iter().enumerate() {
        let mut exchange = good.clone();
        worsen(&mut exchange);
        assert!(check(&exchange).is_err(), "{number} went unnoticed");
    }
}
