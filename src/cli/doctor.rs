//! `doctor`: whether what calls depend on is in order. Nobody is called, and nothing is written.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use crate::annie::client::AnnieClient;
use crate::annie::{Answer, Unread, Vendor};
use crate::campaign::{Account, Campaign};
use crate::clock::{SharedClock, WallClock};
use crate::engine::{CLOCK_TOLERANCE, Outage, Refusal};
use crate::error::{Exit, Stop};
use crate::phone::E164;
use crate::{ledger, zone};

use super::api::{Api, Remote};
use super::args::{Doctor, Global};
use super::output::Output;
use super::placing::way_out;
use super::setting;

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
    let remote = match Api::of(campaign)? {
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
            findings.extend(of_clock(&answer, &remote));
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
            findings.extend(of_clock(&answer, remote));
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

/// A vendor on this machine is a simulated one, whose clock may show any time.
fn of_clock<T>(answer: &Answer<T>, remote: &Remote) -> Option<Finding> {
    let off = machine().now() - answer.date?;
    Some(match off.num_seconds().abs() {
        _ if remote.is_loopback => Finding::good("clock", "the vendor on this machine may have any time"),
        seconds if off.abs() > CLOCK_TOLERANCE => Finding::bad(
            "clock",
            format!("{seconds} s off the vendor's, so no hour can be trusted: set this machine's clock"),
            Exit::DueWorkLeft,
        ),
        _ if off.abs() <= TimeDelta::seconds(2) => Finding::good("clock", "agrees with the vendor's"),
        seconds => Finding::good("clock", format!("{seconds} s off the vendor's, which is borne")),
    })
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
        return Finding::good("ledger", format!("none yet at {}", path.display()));
    }
    match ledger::verify(path) {
        Ok(()) => Finding::good("ledger", format!("sound: {}", path.display())),
        Err(error) => Finding::bad("ledger", error.to_string(), Stop::from(error).exit()),
    }
}

fn machine() -> SharedClock {
    Arc::new(WallClock)
}
