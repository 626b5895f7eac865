//! A receiver of webhooks on loopback: a real HTTP server that answers what it is told and keeps what it got.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// One request: its head and its body.
#[derive(Clone, Debug)]
pub struct Post {
    pub head: String,
    pub body: String,
}

pub struct Receiver {
    pub url: String,
    posts: Arc<Mutex<Vec<Post>>>,
    answer: Arc<Mutex<String>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook/secret-path", listener.local_addr().unwrap());
        let posts: Arc<Mutex<Vec<Post>>> = Arc::default();
        let answer = Arc::new(Mutex::new("204 No Content".to_owned()));
        let (kept, says) = (Arc::clone(&posts), Arc::clone(&answer));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut bytes = Vec::new();
                let mut buffer = [0; 4_096];
                while !is_whole(&bytes) {
                    let read = stream.read(&mut buffer).await.unwrap();
                    if read == 0 {
                        break;
                    }
                    bytes.extend_from_slice(&buffer[..read]);
                }
                let text = String::from_utf8(bytes).unwrap();
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                kept.lock().unwrap().push(Post {
                    head: head.to_lowercase(),
                    body: body.to_owned(),
                });
                let line = says.lock().unwrap().clone();
                let answer =
                    format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self {
            url,
            posts,
            answer,
            task,
        }
    }

    /// Status line, and headers after it, of every answer from now on.
    pub fn answers(&self, line: &str) {
        line.clone_into(&mut self.answer.lock().unwrap());
    }

    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next())
        .map_or(0, |length| length.parse::<usize>().unwrap());
    body.len() >= length
}

/// A receiver that takes every connection at once and answers none of them until it is told to.
pub struct SlowReceiver {
    pub url: String,
    held: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    release: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl SlowReceiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (release, released) = watch::channel(false);
        let (held, most) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let (holds, peak) = (Arc::clone(&held), Arc::clone(&most));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (mut released, holds) = (released.clone(), Arc::clone(&holds));
                let now = holds.fetch_add(1, Ordering::SeqCst) + 1;
                peak.fetch_max(now, Ordering::SeqCst);
                tokio::spawn(async move {
                    // Ends too when the receiver is gone.
                    drop(released.wait_for(|released| *released).await);
                    holds.fetch_sub(1, Ordering::SeqCst);
                    let answer =
                        b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    drop(stream.write_all(answer).await);
                    // What was sent is read to its end, or closing would cut the answer off.
                    drop(stream.read(&mut [0; 4_096]).await);
                });
            }
        });
        Self {
            url,
            held,
            most,
            release,
            task,
        }
    }

    /// Posts that wait for their answer now.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// The most that waited at once.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Answers all that wait, and from now on each at once.
    pub fn release(&self) {
        self.release.send_replace(true);
    }
}

impl Drop for SlowReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}
