//! `doctor`: whether what calls depend on is in order. Nobody is called, and nothing is written.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use crate::annie::client::AnnieClient;
use crate::annie::{Answer, Unread, Vendor};
use crate::campaign::{Account, Campaign};
use crate::clock::{SharedClock, WallClock};
use crate::engine::vendor_clock::{Asked, ask_for_the_time};
use crate::engine::{CLOCK_TOLERANCE, Outage, Refusal};
use crate::error::{Exit, Stop};
use crate::ledger::{LedgerError, LedgerKind, MarkStanding, Reader};
use crate::phone::E164;
use crate::visible::Shown;
use crate::{ledger, zone};

use super::api::{Api, Remote};
use super::args::{Doctor, Global};
use super::output::Output;
use super::placing::{NO_MARK, way_out};
use super::{preflight, setting};

/// Something that was looked at.
#[derive(Serialize)]
struct Finding {
    /// What.
    what: &'static str,
    /// Whose, where there are several organisations.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// Whether it is in order.
    ok: bool,
    /// How it is, and how to mend it.
    says: String,
    /// What a run would end with, as it is.
    #[serde(skip)]
    exit: Exit,
}

impl Finding {
    fn good(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, organisation: None, ok: true, says: says.into(), exit: Exit::Done }
    }

    fn bad(what: &'static str, says: impl Into<String>, exit: Exit) -> Self {
        Self { what, organisation: None, ok: false, says: says.into(), exit }
    }

    fn of(self, organisation: Option<&str>) -> Self {
        Self { organisation: organisation.map(str::to_owned), ..self }
    }

    fn line(&self) -> String {
        let Self { what, organisation, ok, says, .. } = self;
        let whose = organisation.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        format!("{:<6}{what:<13}{whose}{says}\n", if *ok { "ok" } else { "MEND" })
    }
}

/// Looks at everything, and ends with what would stop a run first.
pub(super) async fn doctor(args: &Doctor, global: &Global, output: Output) -> Result<Exit, Stop> {
    let campaign = args.campaign.as_deref().map(setting::campaign).transpose()?;
    let mut findings = match &campaign {
        Some(campaign) => of_campaign(campaign).await?,
        None => of_environment().await,
    };
    findings.push(Finding::good("time zones", format!("{}, built in", zone::database_version())));
    let path = match &campaign {
        Some(campaign) => setting::ledger_beside(global, &campaign.source.directory),
        None => setting::ledger_around(global)?,
    };
    findings.push(of_ledger(&path));
    findings.push(of_disk(&path));
    findings.extend(of_mark(&path));
    let api = campaign.as_ref().map(|campaign| Api::of(campaign, false)).transpose()?;
    findings.extend(api.as_ref().and_then(|api| of_kind(&path, api.ledger_kind())));
    if !api.is_some_and(|api| api.is_rehearsal()) {
        findings.extend(of_the_future(&path));
    }
    if output.json {
        output.document(&serde_json::json!({ "findings": findings }))?;
    } else {
        output.data(&findings.iter().map(Finding::line).collect::<String>())?;
    }
    Ok(gravest(&findings))
}

/// What is to be mended before everything else.
fn gravest(findings: &[Finding]) -> Exit {
    const FIRST: [Exit; 4] = [Exit::Ledger, Exit::VendorRefused, Exit::Usage, Exit::DueWorkLeft];
    let is_found = |exit: &Exit| findings.iter().any(|finding| finding.exit == *exit);
    FIRST.into_iter().find(is_found).unwrap_or(Exit::Done)
}

async fn of_campaign(campaign: &Campaign) -> Result<Vec<Finding>, Stop> {
    let remote = match Api::of(campaign, false)? {
        Api::Embedded(_) => {
            return Ok(vec![Finding::good("vendor", "the simulator inside this program; nobody's phone rings")]);
        }
        Api::Remote(remote) => remote,
    };
    let mut findings = Vec::new();
    let several = campaign.lines.are_written();
    for account in campaign.lines.accounts() {
        let name = several.then(|| account.organisation.as_str());
        let found = match remote.client_of(campaign, account, machine()) {
            Ok(client) => of_account(&client, &remote, account, several).await,
            Err(stop) => vec![Finding::bad("credentials", stop.to_string(), stop.exit())],
        };
        findings.extend(found.into_iter().map(|finding| finding.of(name)));
    }
    Ok(findings)
}

/// Without a campaign: whether the environment's own credentials open the API.
async fn of_environment() -> Vec<Finding> {
    let remote = Remote::of_environment();
    match remote.own_client(machine()) {
        Ok(client) => {
            let answer = client.page(0, 1).await;
            let mut findings = vec![of_credentials(&answer, &remote, false)];
            findings.extend(answer.date.map(|date| of_difference(machine().now() - date, &remote)));
            findings
        }
        Err(stop) => vec![Finding::bad("credentials", stop.to_string(), stop.exit())],
    }
}

/// One request for each number of ours tells of the credentials and the clock, too.
async fn of_account(client: &AnnieClient, remote: &Remote, account: &Account, has_lines: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for from in account.numbers() {
        let answer = client.may_call_from(from).await;
        let is_first = findings.is_empty();
        if is_first {
            findings.push(of_credentials(&answer, remote, has_lines));
            findings.extend(of_clock(client, from, &answer, remote).await);
        }
        match answer.value {
            Ok(may_call) => findings.push(of_number(from, may_call, has_lines)),
            Err(_) if is_first => {}
            Err(unread) => {
                let says = format!("{}: {unread}; look again in a minute", from.expose());
                findings.push(Finding::bad("from-number", says, Exit::DueWorkLeft));
            }
        }
    }
    findings
}

fn of_credentials<T>(answer: &Answer<Result<T, Unread>>, remote: &Remote, has_lines: bool) -> Finding {
    let at = &remote.base_url;
    let refused = |refusal, says: String| {
        Finding::bad("credentials", format!("{says}: {}", way_out(refusal, has_lines)), Exit::VendorRefused)
    };
    match answer.value {
        Ok(_) => Finding::good("credentials", format!("accepted by {at}")),
        Err(Unread::Unauthorised(status)) => {
            refused(Refusal::Credentials, format!("not accepted by {at} (status {status})"))
        }
        Err(Unread::RateLimited) => {
            Finding::bad("vendor", format!("{} ({at}): try again in a minute", Unread::RateLimited), Exit::DueWorkLeft)
        }
        Err(unread) => match Outage::of(unread) {
            Some(Outage::Address) | None => refused(Refusal::Address, format!("{} ({at})", Outage::Address)),
            Some(outage) => {
                let seen = if outage == Outage::Network { String::new() } else { format!("; {unread}") };
                let says = format!("{outage} ({at}{seen}): {}, then try again", outage.way_out());
                Finding::bad("vendor", says, Exit::DueWorkLeft)
            }
        },
    }
}

/// One `Date` that disagrees may be a proxy's: then the vendor is asked again.
async fn of_clock<T>(client: &AnnieClient, from: E164, answer: &Answer<T>, remote: &Remote) -> Option<Finding> {
    let off = machine().now() - answer.date?;
    if remote.is_rehearsal || off.abs() <= CLOCK_TOLERANCE {
        return Some(of_difference(off, remote));
    }
    let asked = ask_for_the_time(client, from, &WallClock, TimeDelta::zero(), |_| ()).await;
    Some(of_difference(if let Asked::Off(ahead) = asked { -ahead } else { TimeDelta::zero() }, remote))
}

/// A vendor on this machine is a simulated one, whose clock may show any time.
fn of_difference(off: TimeDelta, remote: &Remote) -> Finding {
    match off.num_seconds().abs() {
        seconds if remote.is_rehearsal && off.abs() > CLOCK_TOLERANCE => Finding::good(
            "clock",
            format!("{seconds} s off the simulated vendor's, which may have any time: a run needs its time, as --at"),
        ),
        seconds if off.abs() > CLOCK_TOLERANCE => Finding::bad(
            "clock",
            format!("{seconds} s off the vendor's, so no hour can be trusted: set this machine's clock"),
            Exit::DueWorkLeft,
        ),
        _ if off.abs() <= TimeDelta::seconds(2) => Finding::good("clock", "agrees with the vendor's"),
        seconds => Finding::good("clock", format!("{seconds} s off the vendor's, which is borne")),
    }
}

fn of_number(from: E164, may_call: Option<bool>, has_lines: bool) -> Finding {
    let number = from.expose();
    match may_call {
        Some(true) => Finding::good("from-number", format!("{number} may call")),
        None => Finding::good("from-number", format!("{number}: the vendor does not say; the first call will show")),
        Some(false) => {
            let mend = way_out(Refusal::FromNumber, has_lines);
            Finding::bad("from-number", format!("{number} may not call: {mend}"), Exit::VendorRefused)
        }
    }
}

fn of_ledger(path: &Path) -> Finding {
    if !path.exists() {
        return Finding::good("ledger", format!("none yet at {}", path.shown()));
    }
    match ledger::verify(path) {
        Ok(()) => Finding::good("ledger", format!("sound: {}", path.shown())),
        Err(error) => Finding::bad("ledger", error.to_string(), Stop::from(error).exit()),
    }
}

/// Whether the ledger keeps the kind of calls that the campaign places.
fn of_kind(path: &Path, wanted: LedgerKind) -> Option<Finding> {
    let reader = path.exists().then(|| Reader::open(path).ok()).flatten()?;
    let error = reader.refuse_other_kind(wanted, path).err()?;
    Some(Finding::bad("ledger", error.to_string(), Exit::Ledger))
}

/// Whether a ledger that is an older copy would be known before the vendor is asked.
fn of_mark(path: &Path) -> Option<Finding> {
    if !path.exists() {
        return None;
    }
    let behind = || LedgerError::BehindMark { path: path.shown() };
    Some(match ledger::mark_standing(path) {
        Ok(MarkStanding::Reached) => Finding::good("high water", "the ledger has every call that was placed with it"),
        Ok(MarkStanding::Missing) => Finding::good("high water", NO_MARK),
        Ok(MarkStanding::Behind) => Finding::bad("high water", behind().to_string(), Exit::Ledger),
        // What is wrong with the ledger is said elsewhere.
        Err(_) => return None,
    })
}

/// Whether a clock that was ahead has written the ledger.
fn of_the_future(path: &Path) -> Option<Finding> {
    let reader = path.exists().then(|| Reader::open(path).ok()).flatten()?;
    let (events, newest) = reader.future_events(machine().now() + CLOCK_TOLERANCE).ok()??;
    let error = preflight::from_the_future(events, newest);
    Some(Finding::bad("events", error.to_string(), Exit::Ledger))
}

/// Below this a night's calls may not fit: a ledger of 100,000 patients takes a few hundred megabytes.
const LEAST_FREE: u64 = 200 << 20;

/// Whether the ledger and its folder take data, and how much. What is written to find out has no name, and is gone at once.
fn of_disk(ledger: &Path) -> Finding {
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let bad = |what: String, error: io::Error| {
        let says = format!("{what} ({}): mend that, or name another ledger", error.kind());
        Finding::bad("disk", says, Exit::Ledger)
    };
    if ledger.is_file()
        && let Err(error) = OpenOptions::new().write(true).open(ledger)
    {
        return bad(format!("{} cannot be written", ledger.shown()), error);
    }
    if let Err(error) = tempfile::tempfile_in(folder).and_then(|mut file| file.write_all(&[0; 4096])) {
        return bad(format!("nothing can be written in {}", folder.shown()), error);
    }
    match rustix::fs::statvfs(folder).map(|about| about.f_bavail.saturating_mul(about.f_frsize)) {
        Ok(free) if free < LEAST_FREE => {
            let says = format!("{} MB free in {}: make room before the next run", free / 1_000_000, folder.shown());
            Finding::bad("disk", says, Exit::Ledger)
        }
        Ok(free) => Finding::good("disk", format!("takes data, {} MB free", free / 1_000_000)),
        Err(_) => Finding::good("disk", "takes data; how much room there is cannot be told"),
    }
}

fn machine() -> SharedClock {
    Arc::new(WallClock)
}
