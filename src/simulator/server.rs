//! The server: worlds behind HTTP/1.1 on a loopback address.
//!
//! One task accepts; each connection has a task of its own and, unless the settings say otherwise, carries one request.
//! A request is read whole, then let in or not, then acted upon, then answered, and its fate may spoil every step.
//! hyper serves each connection, but does not own its end: a reset needs the bare socket.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, LOCATION};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::clock::SharedClock;

use super::door::Door;
use super::fault::{Fate, Kind};
use super::routes::{Moment, failure, is_token_path, router};
use super::settings::Settings;
use super::spoil;
use super::vendor::{Vendor, set};

/// The longest request body, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;

/// A simulator that is not running yet.
#[derive(Debug)]
pub struct Simulator;

/// A running simulator. Dropping it stops it at once.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    organisations: Arc<[Organisation]>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Starts on the current tokio runtime and on `bind`, which has to be a loopback address; port 0 takes a free one.
    /// If the settings' log exists, the world goes on from it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(settings: Settings, clock: SharedClock, bind: SocketAddr) -> io::Result<Running> {
        Self::start_for_all(vec![settings], clock, bind)
    }

    /// The same for several organisations, each with a world, a budget and a log of its own. A request is of the
    /// last organisation that takes its key, or knows its client, or else of the first; how the network is, the first one
    /// says.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start_for_all(organisations: Vec<Settings>, clock: SharedClock, bind: SocketAddr) -> io::Result<Running> {
        if !bind.ip().is_loopback() {
            let what = "the simulator listens on loopback addresses only, such as 127.0.0.1";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let door = Door::open(bind)?;
        let address = door.address();
        let shut = Arc::new(Notify::new());
        let open = {
            let shut = Arc::clone(&shut);
            move |settings| Organisation::open(settings, &clock, &shut)
        };
        let organisations = organisations.into_iter().map(open).collect::<io::Result<Arc<[_]>>>()?;
        if organisations.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no organisation to play"));
        }
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(door, Arc::clone(&organisations), shut, stopped));
        Ok(Running { address, organisations, stop: Some(stop), task })
    }
}

/// One organisation, and its endpoints.
#[derive(Debug, Clone)]
struct Organisation {
    vendor: Arc<Vendor>,
    api: Router,
}

impl Organisation {
    fn open(settings: Settings, clock: &SharedClock, shut: &Arc<Notify>) -> io::Result<Self> {
        let vendor = Arc::new(Vendor::open(settings, Arc::clone(clock), Arc::clone(shut))?);
        Ok(Self { api: router(Arc::clone(&vendor)), vendor })
    }

    /// The one that takes a request as its own; there is at least one.
    fn that(organisations: &[Self], takes: impl Fn(&Vendor) -> bool) -> &Self {
        match organisations {
            [only] => only,
            all => all.iter().rev().find(|organisation| takes(&organisation.vendor)).unwrap_or(&all[0]),
        }
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API's address, as a client takes it: `http://127.0.0.1:PORT/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// How many calls have been placed, those of a replayed log included.
    #[must_use]
    pub fn placed(&self) -> u64 {
        self.organisations.iter().map(|organisation| organisation.vendor.with_world(|world| world.placed())).sum()
    }

    /// Stops, and returns when no request is being worked on any more.
    pub async fn stop(mut self) {
        // Neither can matter: a receiver that is gone has stopped, and so has a task that failed.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts connections until told to stop.
async fn serve(door: Door, organisations: Arc<[Organisation]>, shut: Arc<Notify>, stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    tokio::select! {
        _ = stopped => {}
        () = accept(door, &organisations, &shut, &mut connections) => {}
    }
    connections.shutdown().await;
}

async fn accept(mut door: Door, organisations: &Arc<[Organisation]>, shut: &Notify, connections: &mut JoinSet<()>) {
    let serve = |stream| connection(stream, Arc::clone(organisations));
    let shut_for = organisations[0].vendor.settings.network.shut;
    loop {
        tokio::select! {
            accepted = door.accept() => match accepted {
                Ok(stream) => drop(connections.spawn(serve(stream))),
                // Out of descriptors, most likely: some will come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            },
            Some(_) = connections.join_next() => {}
            () = shut.notified() => {
                door.waiting().into_iter().for_each(|stream| drop(connections.spawn(serve(stream))));
                door = door.shut(shut_for).await;
            }
        }
    }
}

/// The connection is reset: by a fault, or because the request broke off.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset")]
struct HangUp;

/// Serves one connection to its end.
async fn connection(stream: TcpStream, organisations: Arc<[Organisation]>) {
    type Answer = Pin<Box<dyn Future<Output = Result<Response, HangUp>> + Send>>;
    let keep_alive = organisations[0].vendor.settings.network.keep_alive;
    let service = service_fn(move |request: Request<Incoming>| -> Answer {
        let (head, body) = request.into_parts();
        Box::pin(answer(Arc::clone(&organisations), head, body))
    });
    let mut served = http1::Builder::new()
        .keep_alive(keep_alive)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let outcome = poll_fn(|context| served.poll_without_shutdown(context)).await;
    let mut stream = served.into_parts().io.into_inner();
    // Failing to close a connection is the client's doing, and nothing follows from it.
    let _ = match outcome {
        Err(error) if std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<HangUp>) => {
            stream.set_zero_linger()
        }
        _ => stream.shutdown().await,
    };
}

/// Answers one request, as its fate allows.
async fn answer(organisations: Arc<[Organisation]>, head: Parts, body: Incoming) -> Result<Response, HangUp> {
    let asked = Organisation::that(&organisations, |vendor| vendor.takes_key_of(&head));
    let fate = asked.vendor.fate(&head);
    let body = read(body).await.map_err(|_| HangUp)?;
    let asked = match &body {
        // Whoever asks for a token has none yet.
        Some(body) if is_token_path(head.uri.path()) => {
            Organisation::that(&organisations, |vendor| vendor.knows_client(body))
        }
        _ => asked,
    };
    let Organisation { vendor, api } = asked.clone();
    tokio::time::sleep(vendor.settings.network.latency).await;
    let now = vendor.clock.now();
    let mut response = match (body, vendor.admit(now, &head)) {
        (None, _) => failure(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 1 MiB"),
        (Some(_), Err(why)) => vendor.turned_away(now, why),
        (Some(body), Ok(())) => admitted(now, fate, Request::from_parts(head, body), &vendor, api).await?,
    };
    vendor.stamp(&mut response, now);
    Ok(response)
}

/// The body, unless it is too long. It is read whole all the same: closing a socket with unread bytes would reset the
/// connection, and the answer with it.
async fn read(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let mut bytes = Vec::new();
    let mut fits = true;
    while let Some(frame) = body.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        fits = fits && bytes.len() + data.len() <= LONGEST_BODY;
        if fits {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(fits.then(|| Bytes::from(bytes)))
}

/// Acts upon a request that was let in, and spoils its answer.
async fn admitted(
    now: DateTime<Utc>,
    fate: Option<Fate>,
    request: Request<Bytes>,
    vendor: &Vendor,
    api: Router,
) -> Result<Response, HangUp> {
    let path = request.uri().path().to_string();
    let acts = fate.is_none_or(|fate| fate.acts);
    let hit = fate.filter(|fate| fate.kind != Kind::Refuse).map(|fate| fate.kind.name());
    let response = if acts { act(Moment { now, fault: hit }, request, api).await } else { Response::default() };
    let Some(fate) = fate else { return Ok(response) };
    match fate.kind {
        Kind::Refuse => {
            vendor.shut.notify_one();
            Ok(response)
        }
        Kind::ResetBefore | Kind::ResetAfter => Err(HangUp),
        Kind::TimeoutAfter => pending().await,
        Kind::ErrorBefore | Kind::ErrorAfter => Ok(failure(StatusCode::INTERNAL_SERVER_ERROR, "internal error")),
        Kind::BadGateway => Ok(spoil::gateway(StatusCode::BAD_GATEWAY)),
        Kind::Unavailable => Ok(spoil::gateway(StatusCode::SERVICE_UNAVAILABLE)),
        Kind::GatewayTimeout => Ok(spoil::gateway(StatusCode::GATEWAY_TIMEOUT)),
        Kind::RateLimited => Ok(vendor.too_many_requests(now)),
        Kind::Redirect => Ok(redirect(StatusCode::TEMPORARY_REDIRECT, &path)),
        Kind::SeeOther => Ok(redirect(StatusCode::SEE_OTHER, &path)),
        Kind::Truncated => Ok(spoil::truncated(response).await),
        Kind::BadJson => Ok(spoil::bad_json(response)),
        Kind::IdMissing => Ok(spoil::without_data(response).await),
        Kind::SlowBody => Ok(spoil::slow(response, vendor.settings.network.dribble).await),
        Kind::BigBody => Ok(spoil::big(response).await),
    }
}

fn redirect(status: StatusCode, path: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    set(&mut response, LOCATION.as_str(), path);
    response
}

async fn act(moment: Moment, request: Request<Bytes>, api: Router) -> Response {
    let mut request = request.map(Body::from);
    // The length was checked while reading; the body is of a known length now, whatever the header said.
    request.headers_mut().remove(CONTENT_LENGTH);
    request.extensions_mut().insert(moment);
    match TowerToHyperService::new(api).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests;
