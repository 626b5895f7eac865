//! Handlers of the public plane about the inside of a sandbox. There is none: `exec` runs nothing and `files` stores
//! nothing; they answer fixed output that says so, note the audit trail and restart the auto-destroy timer.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Query, State as Extract},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    keys::{Call, with_key},
    shared::Shared,
    wire::{Answer, Payload, Refusal, Reply},
};

/// What a command "prints", and what a file "holds".
const CANNED: &str =
    "This is the local orchestrator: no virtual machine runs, so nothing was executed.\n";

#[derive(Deserialize)]
struct Exec {
    command: String,
}

pub(crate) async fn exec(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
    payload: Payload,
) -> Answer {
    let exec = payload.json::<Exec>();
    with_key(&shared, call, move |transaction, holder| {
        let Exec { command } = exec?;
        transaction.touch(holder, &id)?;
        transaction.audit(&id, "exec.start", json!({"command": command}));
        transaction.audit(
            &id,
            "exec.exit",
            json!({"command": command, "exit_code": 0, "duration_ms": 0}),
        );
        Ok(Reply::ok(
            json!({"exit_code": 0, "stdout": CANNED, "stderr": ""}),
        ))
    })
    .await
}

#[derive(Deserialize)]
pub(crate) struct FilePath {
    path: Option<String>,
}

impl FilePath {
    fn check(&self) -> Result<(), Refusal> {
        match self.path.as_deref() {
            Some(path) if !path.is_empty() => Ok(()),
            _ => Err(Refusal::invalid("path is missing.")),
        }
    }
}

pub(crate) async fn upload(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    Query(file): Query<FilePath>,
    call: Call,
    _content: Payload,
) -> Answer {
    file_call(&shared, id, file, call, Reply::ok(json!({}))).await
}

pub(crate) async fn download(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    Query(file): Query<FilePath>,
    call: Call,
) -> Answer {
    file_call(
        &shared,
        id,
        file,
        call,
        Reply::Octets(Bytes::from_static(CANNED.as_bytes())),
    )
    .await
}

pub(crate) async fn files(
    Extract(shared): Extract<Arc<Shared>>,
    Path(id): Path<String>,
    Query(file): Query<FilePath>,
    call: Call,
) -> Answer {
    file_call(
        &shared,
        id,
        file,
        call,
        Reply::ok(json!({"entries": ["local-orchestrator.txt"]})),
    )
    .await
}

async fn file_call(
    shared: &Arc<Shared>,
    id: String,
    file: FilePath,
    call: Call,
    reply: Reply,
) -> Answer {
    with_key(shared, call, move |transaction, holder| {
        file.check()?;
        transaction.touch(holder, &id)?;
        Ok(reply)
    })
    .await
}
