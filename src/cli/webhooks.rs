//! `--listen`: the vendor's webhooks, taken beside a run.

use std::net::SocketAddr;

use crate::annie::webhook::{self, Door, Hints, Serving, WebhookToken};
use crate::error::Stop;

use super::api::from_environment;
use super::output::Output;

/// The webhook's `authToken`.
pub(super) const TOKEN: &str = "ANNIE_WEBHOOK_TOKEN";

/// An address that is ours, and what deliveries to it must bear.
pub(super) struct Webhooks {
    door: Door,
    token: WebhookToken,
}

impl Webhooks {
    /// Binds `address`, before anything is recorded or sent.
    pub(super) fn open(address: SocketAddr) -> Result<Self, Stop> {
        let text = from_environment(TOKEN).ok_or_else(|| {
            Stop::Usage(format!(
                "--listen without {TOKEN}: set it to the webhook's authToken, which its deliveries bear"
            ))
        })?;
        let token = WebhookToken::parse(&text).map_err(|problem| Stop::Usage(format!("{TOKEN}: {problem}")))?;
        let door = Door::open(address).map_err(|error| {
            let why = error.kind();
            Stop::Usage(format!("--listen {address}: {why}; name an address of this machine and a free port"))
        })?;
        Ok(Self { door, token })
    }

    /// Takes deliveries from now on, until what is returned first is dropped.
    pub(super) fn take(self, output: Output) -> (Serving, Hints) {
        let address = self.door.address();
        let warning = if address.ip().is_loopback() {
            ""
        } else {
            "; without TLS, so let a proxy that has it stand before this address"
        };
        output.say(&format!("taking webhooks on http://{address}/{warning}"));
        let (hinting, hints) = webhook::channel();
        (self.door.serve(self.token, hinting), hints)
    }
}
