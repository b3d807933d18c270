//! `--listen`: receives the vendor's webhooks during a run.

use std::net::SocketAddr;

use crate::error::CommandError;
use crate::vendor::annie::webhook::{RunningListener, WebhookListener, WebhookToken};
use crate::vendor::hints::{self, HintReceiver};
use crate::wording::io_error;

use super::environment::{self, WEBHOOK_TOKEN};
use super::output::Output;

/// A bound address, and the token that deliveries to it must have.
pub(super) struct WebhookBinding {
    listener: WebhookListener,
    token: WebhookToken,
}

impl WebhookBinding {
    /// Binds `address` before anything is recorded or sent.
    pub(super) fn open(address: SocketAddr) -> Result<Self, CommandError> {
        let text = environment::variable(WEBHOOK_TOKEN).ok_or_else(|| {
            CommandError::Usage(format!(
                "--listen without {WEBHOOK_TOKEN}: set it to the webhook's authToken, which its deliveries carry"
            ))
        })?;
        let token =
            WebhookToken::parse(&text).map_err(|problem| CommandError::Usage(format!("{WEBHOOK_TOKEN}: {problem}")))?;
        let listener = WebhookListener::open(address).map_err(|error| {
            let why = io_error(&error);
            CommandError::Usage(format!("--listen {address}: {why}; name an address of this machine and a free port"))
        })?;
        Ok(Self { listener, token })
    }

    /// Serves deliveries until the returned listener is dropped.
    pub(super) fn serve(self, output: Output) -> (RunningListener, HintReceiver) {
        let address = self.listener.address();
        let warning = if address.ip().is_loopback() {
            ""
        } else {
            "; without TLS, so put a proxy with TLS in front of this address"
        };
        output.say(&format!("receiving webhooks on http://{address}/{warning}"));
        let (sender, hints) = hints::channel();
        (self.listener.serve(self.token, sender), hints)
    }
}
