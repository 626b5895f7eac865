//! The mail catcher: takes every mail over real SMTP, delivers none, and shows them on a page and as JSON.
//! Mails live in memory; the newest 1,000 are kept.

mod inbox;
mod smtp;
mod web;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use crate::serve::Serving;

use self::inbox::Inbox;
pub use self::inbox::{Mail, MailFault};

/// Where to listen; port 0 takes a free one.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub smtp: SocketAddr,
    pub http: SocketAddr,
}

/// A running mail catcher. Dropping it closes both ports.
pub struct MailCatcher {
    inbox: Arc<Inbox>,
    smtp: SocketAddr,
    receiving: Receiving,
    serving: Serving,
}

struct Receiving(JoinHandle<()>);

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl MailCatcher {
    /// Binds both ports and starts.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let inbox = Arc::new(Inbox::default());
        let listener = tokio::net::TcpListener::bind(options.smtp).await?;
        let smtp = listener.local_addr()?;
        let receiving = Receiving(tokio::spawn(smtp::receive(listener, Arc::clone(&inbox))));
        let serving = Serving::start(options.http, web::router(Arc::clone(&inbox))).await?;
        Ok(Self {
            inbox,
            smtp,
            receiving,
            serving,
        })
    }

    /// The port that takes mail by SMTP: the one that was found free if 0 was asked for.
    #[must_use]
    pub const fn smtp_port(&self) -> u16 {
        self.smtp.port()
    }

    /// `smtp://address:port`, as the dashboard's configuration wants it.
    #[must_use]
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.smtp)
    }

    /// `http://address:port` of the page and the JSON, without a slash at the end.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://{}", self.serving.address)
    }

    /// All mails, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.inbox.all()
    }

    pub fn clear(&self) {
        self.inbox.clear();
    }

    /// The newest mail to an address, waiting for one if there is none yet.
    ///
    /// # Errors
    /// When none has come within `deadline`.
    pub async fn wait_for(&self, to: &str, deadline: Duration) -> anyhow::Result<Mail> {
        self.wait_for_after(to, 0, deadline).await
    }

    /// The newest mail to an address whose id is above `after`, waiting for one if there is none yet.
    ///
    /// # Errors
    /// When none has come within `deadline`.
    pub async fn wait_for_after(
        &self,
        to: &str,
        after: u64,
        deadline: Duration,
    ) -> anyhow::Result<Mail> {
        tokio::time::timeout(deadline, self.inbox.next(to, after))
            .await
            .map_err(|_| anyhow::anyhow!("no mail to {to} within {deadline:?}"))
    }

    /// The next `times` mails fail in this way.
    pub fn fault(&self, fault: MailFault, times: u32) {
        self.inbox.fault(fault, times);
    }

    /// Mails are taken again.
    pub fn clear_faults(&self) {
        self.inbox.clear_faults();
    }

    /// Closes both ports.
    pub async fn stop(self) {
        drop(self.receiving);
        self.serving.stop().await;
    }
}
