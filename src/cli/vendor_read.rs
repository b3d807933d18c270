//! One organisation's API for a single read that a person asks for: `resolve --placed` and `transcript`; and the error
//! of a read that failed, also for `outcomes --from-vendor`.

use std::path::Path;
use std::sync::Arc;

use crate::campaign::Campaign;
use crate::clock::{SharedClock, WallClock};
use crate::engine::{Outage, RefusedByVendor};
use crate::error::{CommandError, ExitStatus};
use crate::ids::{OrganisationId, RunId};
use crate::ledger::{LedgerKind, LedgerReader};
use crate::phone::E164;
use crate::simulator::Running;
use crate::vendor::{ReadError, Transcripts, Vendor};

use super::args::SimulatedTime;
use super::embedded_simulator::{self, CallLogs};
use super::settings;
use super::status::campaign_of_run;
use super::vendor_config::{RemoteApi, VendorConfig};

/// An organisation's API, as the campaign in the ledger names it.
pub(super) struct VendorRead<V> {
    pub(super) vendor: V,
    pub(super) campaign: Campaign,
    /// The simulator in this process, where the campaign uses it.
    simulator: Option<Running>,
}

impl<V> VendorRead<V> {
    /// Stops the simulator in this process, if there is one.
    pub(super) async fn close(self) {
        if let Some(simulator) = self.simulator {
            simulator.stop().await;
        }
    }
}

/// The API of the organisation that placed a call of this run from this caller id. Needs a tokio runtime.
pub(super) fn open(
    reader: &LedgerReader,
    ledger: &Path,
    run: RunId,
    organisation: &OrganisationId,
    from: E164,
) -> Result<VendorRead<impl Vendor + Transcripts>, CommandError> {
    let campaign = campaign_of_run(reader, run)?;
    // A run of `run --rehearse` stays a rehearsal, whatever the campaign's text says.
    let is_rehearsed = reader.kind()? == Some(LedgerKind::Rehearsal);
    let api = VendorConfig::from_campaign(&campaign, is_rehearsed && !campaign.vendor.rehearsal)?;
    let (simulator, remote, clock) = match &api {
        VendorConfig::Embedded(simulator) => {
            let clock = settings::clock(&api, &SimulatedTime::default(), reader.newest_event()?)?;
            let running = embedded_simulator::start(&campaign, simulator, &clock, ledger, CallLogs::ReadOnly)?;
            let remote = RemoteApi::embedded(running.base_url());
            (Some(running), remote, clock)
        }
        VendorConfig::Remote(remote) => (None, remote.clone(), Arc::new(WallClock) as SharedClock),
    };
    let index = campaign.locations.organisation_index(organisation, from).ok_or_else(|| {
        CommandError::Usage(format!(
            "the call belongs to {organisation}, whose caller id is no longer in the campaign file: put it back and run again"
        ))
    })?;
    let vendor = remote.client_of(&campaign, &campaign.locations.organisations()[index], clock)?;
    Ok(VendorRead { vendor, campaign, simulator })
}

/// The error of a read that failed; nothing was changed. The same answer has the same exit code in each command.
pub(super) fn failed(error: ReadError, has_locations: bool) -> CommandError {
    let way_out = Outage::from_read_error(error).map_or("try again in a minute", Outage::way_out);
    let text = |way_out: &str| format!("{error}; nothing was changed: {way_out}");
    let refused = |way_out: &str| CommandError::RunStopped { exit: ExitStatus::VendorRefused, text: text(way_out) };
    match error {
        ReadError::NotFound => CommandError::Usage(text("look its id up again")),
        ReadError::Unauthorised(_) => refused(RefusedByVendor::Credentials.remedy(has_locations)),
        // Nothing at the address is the API.
        ReadError::WebPage(_) | ReadError::Status(404) => refused(way_out),
        ReadError::Unreachable
        | ReadError::NoAnswer
        | ReadError::RateLimited
        | ReadError::Status(_)
        | ReadError::TooLong
        | ReadError::Unreadable => CommandError::NotStarted(text(way_out)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_failed_has_one_exit_code_and_a_way_out() {
        for (error, exit, way_out) in [
            (ReadError::NotFound, ExitStatus::Usage, "look its id up again"),
            (ReadError::Unauthorised(401), ExitStatus::VendorRefused, "ANNIE_API_KEY"),
            (ReadError::WebPage(200), ExitStatus::VendorRefused, "the proxy on the way"),
            (ReadError::Status(404), ExitStatus::VendorRefused, "ANNIE_BASE_URL"),
            (ReadError::Status(503), ExitStatus::DueWorkLeft, "wait for the vendor"),
            (ReadError::RateLimited, ExitStatus::DueWorkLeft, "in a minute"),
            (ReadError::Unreachable, ExitStatus::DueWorkLeft, "network"),
        ] {
            let failed = failed(error, false);
            assert_eq!(failed.exit(), exit, "{error:?}");
            let text = failed.to_string();
            assert!(text.contains("nothing was changed: ") && text.contains(way_out), "{text}");
        }
    }
}
