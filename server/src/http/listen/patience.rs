//! How long a connection waits for its other side. A side that does not take what we send, or takes it drop by drop, is left; one that
//! still sends when we have said our last word may finish, so that it reads that word instead of a reset.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// In which the other side takes all that waits for it, or at least [`TAKEN_MIN`] of it.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(20);
/// 800 bytes a second: slower than any line on which a person would wait for a page.
const TAKEN_MIN: usize = 16 * 1024;
/// How long we still listen after our last word, and to how much.
const FAREWELL: Duration = Duration::from_secs(1);
const FAREWELL_BYTES: usize = 256 * 1024;

/// A stream that does not wait for ever.
pub(super) struct Patient {
    stream: TcpStream,
    waits: Option<Waits>,
    farewell: Option<Farewell>,
}

/// Something waits to be taken.
struct Waits {
    until: Pin<Box<Sleep>>,
    taken: usize,
}

/// We have said our last word.
struct Farewell {
    until: Pin<Box<Sleep>>,
    heard: usize,
}

impl Patient {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            waits: None,
            farewell: None,
        }
    }

    /// What an attempt to write means for the time that is left.
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(waits) = &mut self.waits {
                    waits.taken += bytes;
                    if waits.taken >= TAKEN_MIN {
                        self.waits = None;
                    }
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let waits = self.waits.get_or_insert_with(|| Waits {
                    until: Box::pin(sleep(TAKEN_WITHIN)),
                    taken: 0,
                });
                ready!(waits.until.as_mut().poll(cx));
                metrics::counter!("http_connections_cut_total").increment(1);
                let error = io::Error::new(io::ErrorKind::TimedOut, "what was sent is not taken");
                Poll::Ready(Err(error))
            }
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Called when all that was there has been taken.
        self.waits = None;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says that nothing comes any more, and hears the other side out. A socket that is closed while bytes of the other side arrive
    /// resets the connection, and the reset may overtake the answer that says why.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = &mut *self;
        if me.farewell.is_none() {
            ready!(Pin::new(&mut me.stream).poll_shutdown(cx))?;
        }
        let farewell = me.farewell.get_or_insert_with(|| Farewell {
            until: Box::pin(sleep(FAREWELL)),
            heard: 0,
        });
        let mut space = [0; 4_096];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut me.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    farewell.heard += buffer.filled().len();
                    if farewell.heard > FAREWELL_BYTES {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    ready!(farewell.until.as_mut().poll(cx));
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}
