//! Connections that can be cut. In: a listening socket. Out: streams for the HTTP server, each
//! with a `Cut` that resets it (RST, not FIN) from anywhere. Always true: a cut connection sends
//! nothing more, and the stop of the sandbox cuts all that are open.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The switch that resets one connection.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    is_cut: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Cut {
    /// Resets the connection at its next read or write, and wakes both.
    pub(crate) fn now(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }
}

/// Who is at the other end, as handlers see it.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) cut: Arc<Cut>,
}

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self {
            address: *stream.remote_addr(),
            cut: Arc::clone(&stream.io().cut),
        }
    }
}

/// All open connections of one server.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: Mutex<Vec<Weak<Cut>>>,
}

impl Connections {
    pub(crate) fn cut_all(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.drain(..)
            .filter_map(|weak| weak.upgrade())
            .for_each(|cut| cut.now());
    }

    fn remember(&self, cut: &Arc<Cut>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= 256 && open.len().is_power_of_two() {
            open.retain(|weak| weak.strong_count() > 0);
        }
        open.push(Arc::downgrade(cut));
    }
}

/// The listening socket of one server.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    connections: Arc<Connections>,
}

impl Door {
    pub(crate) fn new(listener: TcpListener, connections: Arc<Connections>) -> Self {
        Self {
            listener,
            connections,
        }
    }
}

impl Listener for Door {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // The trait's own implementation for a plain listener logs errors and tries again.
        let (tcp, address) = Listener::accept(&mut self.listener).await;
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
        let cut = Arc::new(Cut::default());
        self.connections.remember(&cut);
        (Stream { tcp, cut }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// One accepted connection.
#[derive(Debug)]
pub(crate) struct Stream {
    tcp: TcpStream,
    cut: Arc<Cut>,
}

impl Stream {
    /// The switch that resets it.
    pub(crate) fn cut(&self) -> Arc<Cut> {
        Arc::clone(&self.cut)
    }

    /// The error of a cut connection, after which the server drops the stream; with zero linger
    /// set, that drop sends the RST.
    fn check(&self) -> io::Result<()> {
        if self.cut.is_cut.load(Ordering::Acquire) {
            self.tcp.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.reader.register(context.waker());
        self.check()?;
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.writer.register(context.waker());
        self.check()?;
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.cut.writer.register(context.waker());
        self.check()?;
        Pin::new(&mut self.tcp).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
