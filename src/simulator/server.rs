//! The HTTP/1.1 server on a loopback address, with one world per organisation.
//!
//! One task accepts connections. Each connection has its own task and, unless the settings say otherwise, carries one
//! request. A request is read completely, authorised, executed and answered; its fault may corrupt each of these steps.
//! hyper serves a connection but does not close it: a reset needs the raw socket.

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

use super::corrupt_response;
use super::envelope::failure;
use super::fault::{FaultKind, InjectedFault};
use super::listener::ServerListener;
use super::request_context::{RequestContext, is_token_path};
use super::routes::router;
use super::server_state::{ServerState, set_header};
use super::settings::Settings;

/// The longest request body, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Starts simulated vendors.
#[derive(Debug)]
pub struct Simulator;

/// A running simulator. Dropping it stops it at once.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    organisations: Arc<[SimulatedOrganisation]>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Starts on the current tokio runtime and on `bind`, which must be a loopback address; port 0 takes a free one.
    /// If the settings' call log exists, the world continues from it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(settings: Settings, clock: SharedClock, bind: SocketAddr) -> io::Result<Running> {
        Self::start_for_all(vec![settings], clock, bind)
    }

    /// The same for several organisations, each with its own world, request budget and call log. A request belongs to
    /// the last organisation that accepts its key or knows its client, otherwise to the first. The first one's network
    /// settings apply to all.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start_for_all(organisations: Vec<Settings>, clock: SharedClock, bind: SocketAddr) -> io::Result<Running> {
        if !bind.ip().is_loopback() {
            let message = "the simulator listens on loopback addresses only, such as 127.0.0.1";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = ServerListener::open(bind)?;
        let address = listener.address();
        let refuse_connections = Arc::new(Notify::new());
        let open = {
            let refuse_connections = Arc::clone(&refuse_connections);
            move |settings| SimulatedOrganisation::open(settings, &clock, &refuse_connections)
        };
        let organisations = organisations.into_iter().map(open).collect::<io::Result<Arc<[_]>>>()?;
        if organisations.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no organisation to simulate"));
        }
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, Arc::clone(&organisations), refuse_connections, stopped));
        Ok(Running { address, organisations, stop: Some(stop), task })
    }
}

/// One organisation, and its endpoints.
#[derive(Debug, Clone)]
struct SimulatedOrganisation {
    state: Arc<ServerState>,
    api: Router,
}

impl SimulatedOrganisation {
    fn open(settings: Settings, clock: &SharedClock, refuse_connections: &Arc<Notify>) -> io::Result<Self> {
        let state = Arc::new(ServerState::open(settings, Arc::clone(clock), Arc::clone(refuse_connections))?);
        Ok(Self { api: router(Arc::clone(&state)), state })
    }

    /// The last organisation for which `accepts` holds, otherwise the first.
    fn select(organisations: &[Self], accepts: impl Fn(&ServerState) -> bool) -> &Self {
        match organisations {
            [only] => only,
            all => all.iter().rev().find(|organisation| accepts(&organisation.state)).unwrap_or(&all[0]),
        }
    }
}

impl Running {
    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API's base URL for a client: `http://127.0.0.1:PORT/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The number of placed calls, including those of a replayed call log.
    #[must_use]
    pub fn placed(&self) -> u64 {
        self.organisations.iter().map(|organisation| organisation.state.with_world(|world| world.placed())).sum()
    }

    /// Stops. Returns when all connections are closed.
    pub async fn stop(mut self) {
        // Both results can be ignored: if the receiver is gone or the task failed, the server has stopped already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts connections until `stopped` resolves, then closes them all.
async fn serve(
    listener: ServerListener,
    organisations: Arc<[SimulatedOrganisation]>,
    refuse_connections: Arc<Notify>,
    stopped: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    tokio::select! {
        _ = stopped => {}
        () = accept(listener, &organisations, &refuse_connections, &mut connections) => {}
    }
    connections.shutdown().await;
}

async fn accept(
    mut listener: ServerListener,
    organisations: &Arc<[SimulatedOrganisation]>,
    refuse_connections: &Notify,
    connections: &mut JoinSet<()>,
) {
    let serve = |stream| connection(stream, Arc::clone(organisations));
    let refuse_for = organisations[0].state.settings.network.refuse_for;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(stream) => drop(connections.spawn(serve(stream))),
                // Most likely out of file descriptors: wait until some are free.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            },
            Some(_) = connections.join_next() => {}
            () = refuse_connections.notified() => {
                listener.pending_connections().into_iter().for_each(|stream| drop(connections.spawn(serve(stream))));
                listener = listener.refuse_for(refuse_for).await;
            }
        }
    }
}

/// The connection must be reset: by a fault, or because the request broke off.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset")]
struct ConnectionReset;

/// Serves one connection until it closes.
async fn connection(stream: TcpStream, organisations: Arc<[SimulatedOrganisation]>) {
    type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, ConnectionReset>> + Send>>;
    let keep_alive = organisations[0].state.settings.network.keep_alive;
    let service = service_fn(move |request: Request<Incoming>| -> ResponseFuture {
        let (head, body) = request.into_parts();
        Box::pin(respond(Arc::clone(&organisations), head, body))
    });
    let mut served = http1::Builder::new()
        .keep_alive(keep_alive)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let outcome = poll_fn(|context| served.poll_without_shutdown(context)).await;
    let mut stream = served.into_parts().io.into_inner();
    // An error while closing comes from the client and needs no handling.
    let _ = match outcome {
        Err(error) if std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<ConnectionReset>) => {
            stream.set_zero_linger()
        }
        _ => stream.shutdown().await,
    };
}

/// Responds to one request, with its fault if it has one.
async fn respond(
    organisations: Arc<[SimulatedOrganisation]>,
    head: Parts,
    body: Incoming,
) -> Result<Response, ConnectionReset> {
    let organisation = SimulatedOrganisation::select(&organisations, |state| state.accepts_credentials(&head));
    let fault = organisation.state.draw_fault(&head);
    let body = read_body(body).await.map_err(|_| ConnectionReset)?;
    let organisation = match &body {
        // A token request carries no token, so its body decides.
        Some(body) if is_token_path(head.uri.path()) => {
            SimulatedOrganisation::select(&organisations, |state| state.knows_client(body))
        }
        _ => organisation,
    };
    let SimulatedOrganisation { state, api } = organisation.clone();
    tokio::time::sleep(state.settings.network.latency).await;
    let now = state.clock.now();
    let mut response = match (body, state.authorise(now, &head)) {
        (None, _) => failure(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 1 MiB"),
        (Some(_), Err(refusal)) => state.refusal_response(now, refusal),
        (Some(body), Ok(())) => execute(now, fault, Request::from_parts(head, body), &state, api).await?,
    };
    state.add_headers(&mut response, now);
    Ok(response)
}

/// The body; `None` if it is too long. A long body is read to its end too: closing a socket with unread bytes would
/// reset the connection and lose the response.
async fn read_body(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let mut bytes = Vec::new();
    let mut fits = true;
    while let Some(frame) = body.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        fits = fits && bytes.len() + data.len() <= MAX_BODY_BYTES;
        if fits {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(fits.then(|| Bytes::from(bytes)))
}

/// Executes an authorised request, and corrupts its response if the fault says so.
async fn execute(
    now: DateTime<Utc>,
    fault: Option<InjectedFault>,
    request: Request<Bytes>,
    state: &ServerState,
    api: Router,
) -> Result<Response, ConnectionReset> {
    let path = request.uri().path().to_string();
    let executes = fault.is_none_or(|fault| fault.executes);
    let fault_name = fault.filter(|fault| fault.kind != FaultKind::Refuse).map(|fault| fault.kind.name());
    let context = RequestContext { now, fault_name };
    let response = if executes { call_endpoint(context, request, api).await } else { Response::default() };
    let Some(fault) = fault else { return Ok(response) };
    match fault.kind {
        FaultKind::Refuse => {
            state.refuse_connections.notify_one();
            Ok(response)
        }
        FaultKind::ResetBefore | FaultKind::ResetAfter => Err(ConnectionReset),
        FaultKind::TimeoutAfter => pending().await,
        FaultKind::ErrorBefore | FaultKind::ErrorAfter => {
            Ok(failure(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))
        }
        FaultKind::BadGateway => Ok(corrupt_response::gateway(StatusCode::BAD_GATEWAY)),
        FaultKind::Unavailable => Ok(corrupt_response::gateway(StatusCode::SERVICE_UNAVAILABLE)),
        FaultKind::GatewayTimeout => Ok(corrupt_response::gateway(StatusCode::GATEWAY_TIMEOUT)),
        FaultKind::RateLimited => Ok(state.too_many_requests(now)),
        FaultKind::Redirect => Ok(redirect(StatusCode::TEMPORARY_REDIRECT, &path)),
        FaultKind::SeeOther => Ok(redirect(StatusCode::SEE_OTHER, &path)),
        FaultKind::Truncated => Ok(corrupt_response::truncated(response).await),
        FaultKind::BadJson => Ok(corrupt_response::bad_json(response)),
        FaultKind::IdMissing => Ok(corrupt_response::without_data(response).await),
        FaultKind::SlowBody => Ok(corrupt_response::slow(response, state.settings.network.slow_body_pause).await),
        FaultKind::BigBody => Ok(corrupt_response::big(response).await),
    }
}

fn redirect(status: StatusCode, path: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    set_header(&mut response, LOCATION.as_str(), path);
    response
}

async fn call_endpoint(context: RequestContext, request: Request<Bytes>, api: Router) -> Response {
    let mut request = request.map(Body::from);
    // The body is in memory now, so its length is known whatever this header said.
    request.headers_mut().remove(CONTENT_LENGTH);
    request.extensions_mut().insert(context);
    match TowerToHyperService::new(api).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests;
