//! Failed TLS handshakes. Verified with reqwest 0.13.5 and hyper-util 0.1.21: any failure inside the handshake (an
//! untrusted certificate, a reset, a server without TLS, silence until the connect timeout) sets `is_connect`, since
//! the connector hands over a connection only after its handshake.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// A self-signed certificate for `localhost`, for these tests alone, good until the year 2126.
const CERTIFICATE: &[u8] = include_bytes!("untrusted.crt.der");
const KEY: &[u8] = include_bytes!("untrusted.key.der");

/// A server for one connection, on its own thread. The receiver gets the result of `serve`.
fn serving<T: Send + 'static>(serve: impl FnOnce(TcpStream) -> T + Send + 'static) -> (SocketAddr, mpsc::Receiver<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, result) = mpsc::channel();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        let _ = sender.send(serve(stream));
    });
    (address, result)
}

fn untrusted(stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], PrivateKeyDer::try_from(KEY).expect("a key"))
        .expect("a certificate");
    StreamOwned::new(ServerConnection::new(Arc::new(config)).expect("a connection"), stream)
}

#[tokio::test]
async fn an_untrusted_certificate_gets_no_request() {
    let (address, result) = serving(|stream| {
        let mut received = Vec::new();
        let end = untrusted(stream).read_to_end(&mut received);
        (received, end.is_err())
    });
    let answer = client(format!("https://localhost:{}/v1", address.port())).place(call()).await;
    assert_eq!(answer.value, Reply::NotPlaced(NotPlaced::NeverConnected));
    assert_eq!(result.recv().expect("the server's end"), (vec![], true), "no byte of the request may have been sent");
}

#[tokio::test]
async fn a_handshake_that_breaks_sent_nothing() {
    let break_off: [fn(TcpStream); 4] = [
        drop,
        |mut stream| {
            let _ = stream.read(&mut [0; 64]);
        },
        |mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.read_to_end(&mut Vec::new());
        },
        // Silence, until the client's connect timeout.
        |mut stream| {
            let _ = stream.read_to_end(&mut Vec::new());
        },
    ];
    for (case, serve) in break_off.into_iter().enumerate() {
        let (address, result) = serving(serve);
        let answer = client(format!("https://127.0.0.1:{}/v1", address.port())).place(call()).await;
        assert_eq!(answer.value, Reply::NotPlaced(NotPlaced::NeverConnected), "case {case}");
        result.recv().expect("the server's end");
    }
}
