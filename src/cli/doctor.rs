//! `doctor`: checks credentials, caller ids, clock, ledger and disk. It calls nobody and writes nothing.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use crate::campaign::{Campaign, Organisation};
use crate::clock::{SharedClock, WallClock};
use crate::engine::vendor_clock::{TimeProbe, probe_vendor_time};
use crate::engine::{CLOCK_TOLERANCE, Outage, RefusedByVendor};
use crate::error::{CommandError, ExitStatus};
use crate::ledger::{LedgerError, LedgerKind, LedgerReader, MarkStatus};
use crate::phone::E164;
use crate::vendor::{ReadError, Response, Vendor};
use crate::visible::DisplayPath;
use crate::wording::io_error;
use crate::{ledger, zone};

use super::args::{DoctorArgs, GlobalArgs};
use super::output::Output;
use super::run_status::NO_HIGH_WATER_MARK;
use super::vendor_config::{RemoteApi, VendorConfig};
use super::{preflight, settings};

/// The result of one check.
#[derive(Serialize)]
struct Finding {
    /// The subject of the check.
    what: &'static str,
    /// The organisation, where the campaign has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    ok: bool,
    /// The finding and, if it is a problem, a fix.
    says: String,
    /// The exit status of a run in this condition.
    #[serde(skip)]
    exit: ExitStatus,
}

impl Finding {
    fn good(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, organisation: None, ok: true, says: says.into(), exit: ExitStatus::Done }
    }

    fn bad(what: &'static str, says: impl Into<String>, exit: ExitStatus) -> Self {
        Self { what, organisation: None, ok: false, says: says.into(), exit }
    }

    fn for_organisation(self, organisation: Option<&str>) -> Self {
        Self { organisation: organisation.map(str::to_owned), ..self }
    }

    fn line(&self) -> String {
        let Self { what, organisation, ok, says, .. } = self;
        let prefix = organisation.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        format!("{:<6}{what:<13}{prefix}{says}\n", if *ok { "ok" } else { "FIX" })
    }
}

/// Runs every check. The exit status is that of the most urgent problem.
pub(super) async fn doctor(args: &DoctorArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let campaign = args.campaign.as_deref().map(settings::campaign).transpose()?;
    let mut findings = match &campaign {
        Some(campaign) => check_campaign(campaign).await?,
        None => check_environment().await,
    };
    findings.push(Finding::good("time zones", format!("{}, built in", zone::database_version())));
    let path = match &campaign {
        Some(campaign) => settings::ledger_in(global, &campaign.source.directory),
        None => settings::find_ledger(global)?,
    };
    findings.push(check_ledger(&path));
    findings.push(check_disk(&path));
    findings.extend(check_high_water_mark(&path));
    let api = campaign.as_ref().map(|campaign| VendorConfig::from_campaign(campaign, false)).transpose()?;
    findings.extend(api.as_ref().and_then(|api| check_kind(&path, api.ledger_kind())));
    if !api.is_some_and(|api| api.is_rehearsal()) {
        findings.extend(check_for_future_events(&path));
    }
    if output.json {
        output.document(&serde_json::json!({ "findings": findings }))?;
    } else {
        output.data(&findings.iter().map(Finding::line).collect::<String>())?;
    }
    Ok(most_urgent(&findings))
}

/// The exit status of the problem to fix first.
fn most_urgent(findings: &[Finding]) -> ExitStatus {
    const BY_URGENCY: [ExitStatus; 4] =
        [ExitStatus::Ledger, ExitStatus::VendorRefused, ExitStatus::Usage, ExitStatus::DueWorkLeft];
    let is_found = |exit: &ExitStatus| findings.iter().any(|finding| finding.exit == *exit);
    BY_URGENCY.into_iter().find(is_found).unwrap_or(ExitStatus::Done)
}

async fn check_campaign(campaign: &Campaign) -> Result<Vec<Finding>, CommandError> {
    let remote = match VendorConfig::from_campaign(campaign, false)? {
        VendorConfig::Embedded(_) => {
            return Ok(vec![Finding::good("vendor", "the simulator in this program; nobody is called")]);
        }
        VendorConfig::Remote(remote) => remote,
    };
    let mut findings = Vec::new();
    let has_locations = campaign.locations.are_defined();
    for organisation in campaign.locations.organisations() {
        let name = has_locations.then(|| organisation.id.as_str());
        let found = match remote.client_of(campaign, organisation, machine_clock()) {
            Ok(client) => check_organisation(&client, &remote, organisation, has_locations).await,
            Err(error) => vec![Finding::bad("credentials", error.to_string(), error.exit())],
        };
        findings.extend(found.into_iter().map(|finding| finding.for_organisation(name)));
    }
    Ok(findings)
}

/// Without a campaign: whether the API accepts the environment's credentials.
async fn check_environment() -> Vec<Finding> {
    let remote = RemoteApi::from_environment();
    match remote.default_client(machine_clock()) {
        Ok(client) => {
            let response = client.page(0, 1).await;
            let mut findings = vec![check_credentials(&response, &remote, false)];
            findings.extend(response.date.map(|date| check_clock_difference(machine_clock().now() - date, &remote)));
            findings
        }
        Err(error) => vec![Finding::bad("credentials", error.to_string(), error.exit())],
    }
}

/// Asks once for each caller id. The first response also shows the credentials and the clock.
async fn check_organisation(
    client: &impl Vendor,
    remote: &RemoteApi,
    organisation: &Organisation,
    has_locations: bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for from in organisation.numbers() {
        let response = client.may_call_from(from).await;
        let is_first = findings.is_empty();
        if is_first {
            findings.push(check_credentials(&response, remote, has_locations));
            findings.extend(check_clock(client, from, &response, remote).await);
        }
        match response.value {
            Ok(may_call) => findings.push(check_number(from, may_call, has_locations)),
            Err(_) if is_first => {}
            Err(error) => {
                let says = format!("{}: {error}; check again in a minute", from.expose());
                findings.push(Finding::bad("from-number", says, ExitStatus::DueWorkLeft));
            }
        }
    }
    findings
}

fn check_credentials<T>(response: &Response<Result<T, ReadError>>, remote: &RemoteApi, has_locations: bool) -> Finding {
    let url = &remote.base_url;
    let refused = |refusal: RefusedByVendor, says: String| {
        Finding::bad("credentials", format!("{says}: {}", refusal.remedy(has_locations)), ExitStatus::VendorRefused)
    };
    match response.value {
        Ok(_) => Finding::good("credentials", format!("accepted by {url}")),
        Err(ReadError::Unauthorised(status)) => {
            refused(RefusedByVendor::Credentials, format!("not accepted by {url} (status {status})"))
        }
        Err(ReadError::RateLimited) => Finding::bad(
            "vendor",
            format!("{} ({url}): try again in a minute", ReadError::RateLimited),
            ExitStatus::DueWorkLeft,
        ),
        Err(error) => match Outage::from_read_error(error) {
            Some(Outage::Address) | None => refused(RefusedByVendor::Address, format!("{} ({url})", Outage::Address)),
            Some(outage) => {
                let seen = if outage == Outage::Network { String::new() } else { format!("; {error}") };
                let says = format!("{outage} ({url}{seen}): {}, then try again", outage.way_out());
                Finding::bad("vendor", says, ExitStatus::DueWorkLeft)
            }
        },
    }
}

/// A single `Date` header that disagrees may be a proxy's, so the vendor is asked again.
async fn check_clock<T>(
    client: &impl Vendor,
    from: E164,
    response: &Response<T>,
    remote: &RemoteApi,
) -> Option<Finding> {
    let off = machine_clock().now() - response.date?;
    if remote.is_rehearsal || off.abs() <= CLOCK_TOLERANCE {
        return Some(check_clock_difference(off, remote));
    }
    let probe = probe_vendor_time(client, from, &WallClock, TimeDelta::zero(), |_| ()).await;
    Some(check_clock_difference(if let TimeProbe::Off(ahead) = probe { -ahead } else { TimeDelta::zero() }, remote))
}

/// A rehearsal's vendor is a simulator, whose clock may show any time.
fn check_clock_difference(off: TimeDelta, remote: &RemoteApi) -> Finding {
    match off.num_seconds().abs() {
        seconds if remote.is_rehearsal && off.abs() > CLOCK_TOLERANCE => Finding::good(
            "clock",
            format!("{seconds} s off the simulated vendor's clock: a run needs the simulator's time, with --at"),
        ),
        seconds if off.abs() > CLOCK_TOLERANCE => Finding::bad(
            "clock",
            format!("{seconds} s off the vendor's, so dialing hours cannot be kept: set this machine's clock"),
            ExitStatus::DueWorkLeft,
        ),
        _ if off.abs() <= TimeDelta::seconds(2) => Finding::good("clock", "agrees with the vendor's"),
        seconds => Finding::good("clock", format!("{seconds} s off the vendor's, within the tolerance")),
    }
}

fn check_number(from: E164, may_call: Option<bool>, has_locations: bool) -> Finding {
    let number = from.expose();
    match may_call {
        Some(true) => Finding::good("from-number", format!("{number} may call")),
        None => Finding::good("from-number", format!("{number}: the vendor does not say; the first call will show")),
        Some(false) => {
            let fix = RefusedByVendor::CallerId.remedy(has_locations);
            Finding::bad("from-number", format!("{number} may not call: {fix}"), ExitStatus::VendorRefused)
        }
    }
}

fn check_ledger(path: &Path) -> Finding {
    if !path.exists() {
        return Finding::good("ledger", format!("none yet at {}", path.shown()));
    }
    match ledger::verify(path) {
        Ok(()) => Finding::good("ledger", format!("sound: {}", path.shown())),
        Err(error) => Finding::bad("ledger", error.to_string(), CommandError::from(error).exit()),
    }
}

/// Whether the ledger is of the campaign's kind, live or rehearsal; `None` if it is.
fn check_kind(path: &Path, wanted: LedgerKind) -> Option<Finding> {
    let reader = path.exists().then(|| LedgerReader::open(path).ok()).flatten()?;
    let error = reader.refuse_other_kind(wanted, path).err()?;
    Some(Finding::bad("ledger", error.to_string(), ExitStatus::Ledger))
}

/// Whether the high-water mark shows that the ledger is not an older copy.
fn check_high_water_mark(path: &Path) -> Option<Finding> {
    if !path.exists() {
        return None;
    }
    let behind = || LedgerError::BehindMark { path: path.shown() };
    Some(match ledger::mark_status(path) {
        Ok(MarkStatus::Reached) => Finding::good("high water", "the ledger has every call placed with it"),
        Ok(MarkStatus::Missing) => {
            Finding::good("high water", format!("{NO_HIGH_WATER_MARK}; the next run creates a new one"))
        }
        Ok(MarkStatus::Behind) => Finding::bad("high water", behind().to_string(), ExitStatus::Ledger),
        // `check_ledger` reports the error.
        Err(_) => return None,
    })
}

/// Whether the ledger has events from the future, which a clock that was ahead has written; `None` if not.
fn check_for_future_events(path: &Path) -> Option<Finding> {
    let reader = path.exists().then(|| LedgerReader::open(path).ok()).flatten()?;
    let (events, newest) = reader.future_events(machine_clock().now() + CLOCK_TOLERANCE).ok()??;
    let error = preflight::future_events_error(events, newest);
    Some(Finding::bad("events", error.to_string(), ExitStatus::Ledger))
}

/// The least free space, in bytes: a ledger of 100,000 patients takes a few hundred megabytes.
const MIN_FREE_SPACE: u64 = 200 << 20;

/// Whether the ledger and its folder are writable, and the free space. The test writes to an unnamed temporary file.
fn check_disk(ledger: &Path) -> Finding {
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let bad = |what: String, error: io::Error| {
        let says = format!("{what}: {}; fix that, or name another ledger", io_error(&error));
        Finding::bad("disk", says, ExitStatus::Ledger)
    };
    if ledger.is_file()
        && let Err(error) = OpenOptions::new().write(true).open(ledger)
    {
        return bad(format!("{} cannot be written", ledger.shown()), error);
    }
    if let Err(error) = tempfile::tempfile_in(folder).and_then(|mut file| file.write_all(&[0; 4096])) {
        return bad(format!("nothing can be written in {}", folder.shown()), error);
    }
    match rustix::fs::statvfs(folder).map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize)) {
        Ok(free) if free < MIN_FREE_SPACE => {
            let says = format!("{} MB free in {}: make room before the next run", free / 1_000_000, folder.shown());
            Finding::bad("disk", says, ExitStatus::Ledger)
        }
        Ok(free) => Finding::good("disk", format!("writable, {} MB free", free / 1_000_000)),
        Err(_) => Finding::good("disk", "writable; the free space is unknown"),
    }
}

fn machine_clock() -> SharedClock {
    Arc::new(WallClock)
}
