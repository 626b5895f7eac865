//! What the hasher answers, and what it costs: memory, a queue with an end, no work for whoever has left.

use std::time::Instant;

use futures_util::future::join_all;

use super::*;

const RIGHT: &str = "three quiet rivers meet";

async fn stored(passwords: &Passwords) -> String {
    let new = NewPassword::parse(RIGHT, None).unwrap();
    passwords.hash(new).await.unwrap()
}

#[tokio::test]
async fn the_right_password_and_only_that() {
    let passwords = Passwords::new().unwrap();
    let stored = stored(&passwords).await;
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    let matches = async |typed: &str, stored: Option<&String>| {
        let verified = passwords.verify(typed.to_owned(), stored.cloned());
        verified.await.unwrap()
    };
    assert!(matches(RIGHT, Some(&stored)).await);
    assert!(!matches("three quiet rivers Meet", Some(&stored)).await);
    assert!(!matches("", Some(&stored)).await);
    assert!(!matches(RIGHT, None).await);
}

/// Written by the crate's own way before there were threads of ours, with the same parameters.
#[tokio::test]
async fn what_others_hashed_is_read_and_what_is_ours_they_read() {
    use argon2::{PasswordHasher as _, PasswordVerifier as _};
    let passwords = Passwords::new().unwrap();
    let theirs: PasswordHash = Argon2::default()
        .hash_password_with_salt(RIGHT.as_bytes(), b"a salt of theirs")
        .unwrap();
    let verified = passwords.verify(RIGHT.to_owned(), Some(theirs.to_string()));
    assert!(verified.await.unwrap());
    let ours = stored(&passwords).await;
    let read = Argon2::default().verify_password(RIGHT.as_bytes(), ours.as_str());
    assert!(read.is_ok());
}

#[tokio::test]
async fn a_stored_hash_that_asks_for_more_work_than_ours_is_not_believed() {
    let passwords = Passwords::new().unwrap();
    let stored = stored(&passwords).await;
    for (part, greedy) in [
        ("m=19456", "m=1945600"),
        ("t=2", "t=2000"),
        ("argon2id", "argon2d"),
    ] {
        let verified = passwords.verify(RIGHT.to_owned(), Some(stored.replace(part, greedy)));
        assert!(verified.await.is_err(), "{greedy}");
    }
}

#[tokio::test]
async fn the_queue_has_an_end_and_whoever_is_let_in_is_served() {
    let passwords = Passwords::new().unwrap();
    let stored = stored(&passwords).await;
    let all = (0..3 * PASSWORDS_WAITING_MAX)
        .map(|_| passwords.verify(RIGHT.to_owned(), Some(stored.clone())));
    let (served, refused): (Vec<_>, Vec<_>) =
        join_all(all).await.into_iter().partition(Result::is_ok);
    assert!(served.into_iter().all(|matches| matches.unwrap()));
    assert!(refused.len() > PASSWORDS_WAITING_MAX, "{}", refused.len());
    assert!(
        refused
            .iter()
            .all(|broken| broken.as_ref().is_err_and(Broken::is_busy))
    );
}

#[tokio::test]
async fn whoever_has_left_is_not_worked_for() {
    let passwords = Passwords::new().unwrap();
    let stored = stored(&passwords).await;
    let began = Instant::now();
    let one = passwords.verify(RIGHT.to_owned(), Some(stored.clone()));
    assert!(one.await.unwrap());
    let one = began.elapsed();
    for _ in 0..PASSWORDS_WAITING_MAX / 2 {
        let mut left = Box::pin(passwords.verify(RIGHT.to_owned(), Some(stored.clone())));
        assert!(futures_util::poll!(left.as_mut()).is_pending());
    }
    let began = Instant::now();
    assert!(
        passwords
            .verify(RIGHT.to_owned(), Some(stored))
            .await
            .unwrap()
    );
    let waited = began.elapsed();
    assert!(waited < one * 8, "{waited:?} behind {one:?} each");
}

/// The memory of this process, in KiB; none where the system does not say.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn a_flood_takes_the_memory_of_one_hash_for_each_core_and_no_more() {
    let passwords = Passwords::new().unwrap();
    let Some(before) = resident() else { return };
    let stored = stored(&passwords).await;
    for _ in 0..6 {
        let flood = (0..16).map(|_| {
            let (passwords, stored) = (passwords.clone(), stored.clone());
            tokio::spawn(async move { passwords.verify(RIGHT.to_owned(), Some(stored)).await })
        });
        for checked in join_all(flood).await {
            assert!(checked.unwrap().unwrap());
        }
    }
    let cores = std::thread::available_parallelism().unwrap().get();
    let grown = resident().unwrap().saturating_sub(before);
    let hashes = cores * Params::DEFAULT.block_count();
    assert!(grown < hashes + 8 * 1_024, "{grown} KiB for {cores} cores");
}
