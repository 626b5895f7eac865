//! The SMTP side: reads lines, lets the `mailin` state machine decide, writes its answers. Fails when told to.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mailin::{Action, Handler, Response, SessionBuilder, response};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::inbox::{Inbox, MailFault};

const MAX_SESSIONS: usize = 256;
/// A longer line ends the session.
const MAX_LINE: u64 = 64 * 1_024;
/// A larger mail is refused.
const MAX_MAIL: usize = 8 * 1_024 * 1_024;
const IDLE: Duration = Duration::from_secs(300);
const HANG: Duration = Duration::from_secs(60);

pub(super) async fn receive(listener: TcpListener, inbox: Arc<Inbox>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if sessions.len() < MAX_SESSIONS => match accepted {
                Ok((stream, remote)) => {
                    let inbox = Arc::clone(&inbox);
                    sessions.spawn(async move {
                        // A sender that goes away in the middle is its own affair.
                        drop(session(stream, remote, inbox).await);
                    });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_ended) = sessions.join_next() => {}
        }
    }
}

/// What the end of the content should do besides the answer.
#[derive(Default)]
struct Ending {
    hang: AtomicBool,
    close: AtomicBool,
}

struct Taking {
    inbox: Arc<Inbox>,
    ending: Arc<Ending>,
    from: String,
    to: Vec<String>,
    content: Vec<u8>,
}

impl Handler for Taking {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, from: &str) -> Response {
        from.clone_into(&mut self.from);
        response::OK
    }

    fn rcpt(&mut self, _to: &str) -> Response {
        match self
            .inbox
            .take_fault(&[MailFault::Refuse451, MailFault::Refuse550])
        {
            Some(MailFault::Refuse451) => Response::custom(451, "Try again later".to_owned()),
            Some(_) => response::NO_MAILBOX,
            None => response::OK,
        }
    }

    fn data_start(&mut self, _domain: &str, _from: &str, _is8bit: bool, to: &[String]) -> Response {
        self.to = to.to_vec();
        self.content.clear();
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        // One byte over the limit marks the mail as too large without keeping the rest of it.
        let room = (MAX_MAIL + 1).saturating_sub(self.content.len());
        self.content
            .extend_from_slice(line.get(..room.min(line.len())).unwrap_or_default());
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let content = std::mem::take(&mut self.content);
        if content.len() > MAX_MAIL {
            return response::NO_STORAGE;
        }
        let fault = self
            .inbox
            .take_fault(&[MailFault::Hang, MailFault::DropAfterData]);
        if fault == Some(MailFault::Hang) {
            self.ending.hang.store(true, Ordering::Relaxed);
            return response::OK;
        }
        self.inbox
            .take(&self.from, std::mem::take(&mut self.to), &content);
        self.ending.close.store(fault.is_some(), Ordering::Relaxed);
        response::OK
    }
}

async fn session(stream: TcpStream, remote: SocketAddr, inbox: Arc<Inbox>) -> io::Result<()> {
    let ending = Arc::new(Ending::default());
    let handler = Taking {
        inbox,
        ending: Arc::clone(&ending),
        from: String::new(),
        to: Vec::new(),
        content: Vec::new(),
    };
    let mut session = SessionBuilder::new("mail-catcher").build(remote.ip(), handler);
    let mut stream = BufReader::new(stream);
    answer(&mut stream, &session.greeting()).await?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = (&mut stream).take(MAX_LINE);
        let reading = limited.read_until(b'\n', &mut line);
        tokio::time::timeout(IDLE, reading)
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        if line.last() != Some(&b'\n') {
            return Ok(());
        }
        let response = session.process(&line);
        if ending.hang.load(Ordering::Relaxed) {
            tokio::time::sleep(HANG).await;
            return Ok(());
        }
        if ending.close.load(Ordering::Relaxed) {
            return Ok(());
        }
        match response.action {
            Action::Reply => answer(&mut stream, &response).await?,
            Action::Close => return answer(&mut stream, &response).await,
            // TLS is never offered, so it is never asked for.
            Action::NoReply | Action::UpgradeTls => {}
        }
    }
}

async fn answer(stream: &mut BufReader<TcpStream>, response: &Response) -> io::Result<()> {
    stream.write_all(&response.buffer()?).await?;
    stream.flush().await
}
