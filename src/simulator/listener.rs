//! The listening socket. It can close for a while, so that connections are really refused.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A listening socket on a fixed address.
#[derive(Debug)]
pub(super) struct ServerListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl ServerListener {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = bind(address)?.listen(BACKLOG)?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The connections that the system has accepted and this process has not.
    pub(super) fn pending_connections(&self) -> Vec<TcpStream> {
        std::iter::from_fn(|| self.accept().now_or_never()).map_while(Result::ok).collect()
    }

    /// Refuses connections for `span` of real time. The system refuses while no socket listens; a socket that is only
    /// bound reserves the port in the meantime.
    pub(super) async fn refuse_for(self, span: Duration) -> Self {
        let Self { listener, address } = self;
        drop(listener);
        loop {
            let Ok(socket) = bind(address) else {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            };
            tokio::time::sleep(span).await;
            if let Ok(listener) = socket.listen(BACKLOG) {
                return Self { listener, address };
            }
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
