//! Loopback vendors, each in a process of its own, so that its processor time does not count for the client: one that accepts
//! every call and does nothing else, and the simulator with many organisations.

use std::convert::Infallible;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use callrounds::clock::WallClock;
use callrounds::simulator::{Settings, Simulator};
use callrounds::zone::Zone;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use super::common::say;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The API key of an organisation.
pub fn key(organisation: u32) -> String {
    format!("annie-sk-v1-organisation-{organisation}")
}

/// A vendor that serves until it is dropped.
pub struct Server {
    child: Child,
    pub base_url: String,
}

impl Server {
    /// One that accepts every call after `latency` milliseconds.
    pub fn start(latency: u64) -> Result<Self> {
        Self::spawn(&["serve", &latency.to_string()])
    }

    /// The simulator with `organisations` organisations, whose answers take `latency` milliseconds.
    pub fn start_simulator(organisations: u32, latency: u64) -> Result<Self> {
        Self::spawn(&["organisations", &organisations.to_string(), &latency.to_string()])
    }

    fn spawn(what: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(super::CHILD).args(what).stdout(Stdio::piped()).spawn()?;
        let mut base_url = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut base_url)?;
        Ok(Self { child, base_url: base_url.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server has no state to save.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child process of [`Server::start`].
pub fn serve(words: &[String]) -> Result<()> {
    let [latency] = words else { return Err("wants LATENCY".into()) };
    let latency = Duration::from_millis(latency.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let listener = socket.listen(4_096)?;
        say(format_args!("http://{}/v1", listener.local_addr()?));
        let calls = Arc::new(AtomicU64::new(0));
        loop {
            let (stream, _) = listener.accept().await?;
            let calls = Arc::clone(&calls);
            let service = service_fn(move |request| answer(request, Arc::clone(&calls), latency));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

async fn answer(
    request: Request<Incoming>,
    calls: Arc<AtomicU64>,
    latency: Duration,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let is_call = request.method() == Method::POST;
    let is_list = request.uri().path().ends_with("/conversations");
    let _ = request.into_body().collect().await;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let (status, body) = if is_call {
        let id = calls.fetch_add(1, Ordering::Relaxed);
        (StatusCode::OK, format!(r#"{{"success":true,"data":{{"conversationId":"c-{}-{id}"}}}}"#, std::process::id()))
    } else if is_list {
        let empty =
            r#"{"success":true,"data":{"conversations":[],"pagination":{"offset":0,"limit":100,"totalCount":0}}}"#;
        (StatusCode::OK, empty.to_owned())
    } else {
        (StatusCode::NOT_FOUND, r#"{"success":false,"data":null}"#.to_owned())
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The child process of [`Server::start_simulator`].
pub fn simulate(words: &[String]) -> Result<()> {
    let [organisations, latency] = words else { return Err("wants ORGANISATIONS LATENCY".into()) };
    let (organisations, latency): (u32, u64) = (organisations.parse()?, latency.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let settings = |n: u32| {
            let mut settings = Settings { seed: n.into(), name: n.to_string(), ..Settings::default() };
            settings.access.keys = Some(vec![key(n).into()]);
            settings.network.latency = Duration::from_millis(latency);
            settings.rules.zone = Zone::named(&super::zone_at_noon()).expect("a zone");
            settings
        };
        let organisations = (0..organisations).map(settings).collect();
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running = Simulator::start_for_all(organisations, Arc::new(WallClock), bind)?;
        say(running.base_url());
        std::future::pending::<()>().await;
        Ok(())
    })
}
