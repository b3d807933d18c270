//! Which vendor a campaign's calls go to, and with which credentials.

use std::path::PathBuf;

use crate::annie::address::{ANNIE, Address};
use crate::annie::auth::{Credentials, CredentialsProblem};
use crate::annie::client::{AnnieClient, ClientSettings};
use crate::campaign::lines::suffix;
use crate::campaign::{Account, Campaign, Practice, SimulatorSettings, VendorKind};
use crate::clock::SharedClock;
use crate::error::Stop;
use crate::ids::OrganisationId;
use crate::ledger::LedgerKind;
use crate::phone::{E164, NorthAmerican};

/// Overrides the API's address.
const BASE_URL: &str = "ANNIE_BASE_URL";

/// What a simulated vendor takes as a key.
const DEMO_KEY: &str = "annie-sk-v1-simulator";

/// Where the calls go.
#[derive(Debug, Clone)]
pub(super) enum Api {
    /// To the simulator in this process.
    Embedded(SimulatorSettings),
    /// To an address.
    Remote(Remote),
}

/// An API elsewhere.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    pub(super) base_url: String,
    /// The campaign says so, and the address is on this machine. An address alone is no proof: a tunnel leads anywhere.
    pub(super) is_rehearsal: bool,
    /// The campaign's own key file, and the folder from which those of lines are named.
    key_file: Option<PathBuf>,
    directory: PathBuf,
    /// The simulator in this process, which knows its organisations by keys that we gave it.
    is_embedded: bool,
}

fn is_loopback(url: &str) -> bool {
    Address::parse(url).is_ok_and(|address| address.is_loopback())
}

/// An environment variable that is set and not empty.
pub(super) fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

impl Api {
    /// The API that a campaign's calls go to; `rehearse` makes a rehearsal of any campaign. A rehearsal is never sent to
    /// another machine.
    pub(super) fn of(campaign: &Campaign, rehearse: bool) -> Result<Self, Stop> {
        let vendor = &campaign.vendor;
        let is_rehearsal = rehearse || vendor.rehearsal;
        let remote = |base_url| {
            let directory = campaign.source.directory.clone();
            let key_file = vendor.key_file.as_ref().map(|file| directory.join(file));
            Self::Remote(Remote { base_url, is_rehearsal, key_file, directory, is_embedded: false })
        };
        match (from_environment(BASE_URL), vendor.kind) {
            (Some(base_url), _) if is_rehearsal && is_loopback(&base_url) => Ok(remote(base_url)),
            (Some(_), _) if is_rehearsal => Err(Stop::Usage(format!(
                "this is a rehearsal, but {BASE_URL} does not name an address of this machine; nothing was sent: set it to a \
                 simulator's, such as http://127.0.0.1:4010/v1, or leave out {}",
                if rehearse { "--rehearse" } else { "[vendor] rehearsal = true" }
            ))),
            (Some(_), VendorKind::Simulator) => Err(Stop::Usage(format!(
                "this campaign is for the embedded simulator, but {BASE_URL} names another API: unset it, or add \
                 rehearsal = true below [vendor] if that is a simulator on this machine"
            ))),
            (None, VendorKind::Simulator) => Ok(Self::Embedded(vendor.simulator.clone())),
            (None, VendorKind::Annie) if rehearse => Ok(Self::Embedded(vendor.simulator.clone())),
            (None, VendorKind::Annie) if is_rehearsal => Err(Stop::Usage(format!(
                "[vendor] rehearsal = true is for a simulator on this machine, and {BASE_URL} names none; nothing was sent: \
                 set it, such as to http://127.0.0.1:4010/v1, or `run --rehearse`, which brings a simulator along"
            ))),
            (base_url, VendorKind::Annie) => {
                refuse_fiction(campaign)?;
                Ok(remote(base_url.unwrap_or_else(|| ANNIE.into())))
            }
        }
    }

    /// Whether nobody is called: by the campaign's word or the command's, never by an address alone.
    pub(super) fn is_rehearsal(&self) -> bool {
        match self {
            Self::Embedded(_) => true,
            Self::Remote(remote) => remote.is_rehearsal,
        }
    }

    /// The kind of ledger that its calls are kept in.
    pub(super) fn ledger_kind(&self) -> LedgerKind {
        if self.is_rehearsal() { LedgerKind::Rehearsal } else { LedgerKind::Live }
    }
}

/// What of a starting point nobody has replaced yet.
fn refuse_fiction(campaign: &Campaign) -> Result<(), Stop> {
    let at_lines = campaign.lines.iter().map(|(location, practice)| (format!("line {location}: "), practice));
    let everywhere = std::iter::once(("practice.".to_owned(), &campaign.practice)).chain(at_lines);
    let left: Vec<_> = everywhere
        .flat_map(|(place, practice)| left_of(practice).into_iter().map(move |what| format!("\n  {place}{what}")))
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(Stop::Usage(format!(
        "the campaign file is not yet the practice's own:{}\nput the practice's own in their place, or try it out with \
         `run --rehearse`",
        left.concat()
    )))
}

fn left_of(practice: &Practice) -> Vec<&'static str> {
    let fictitious = |number: E164| number.north_american().is_some_and(NorthAmerican::is_fictitious);
    [
        (practice.name.contains(['<', '>']), "name still stands in angle brackets"),
        (fictitious(practice.from_number), "from_number is a 555-01xx number, which cannot call"),
        (fictitious(practice.callback_number), "callback_number is a 555-01xx number, which rings nobody"),
    ]
    .into_iter()
    .filter_map(|(is_left, what)| is_left.then_some(what))
    .collect()
}

impl Remote {
    fn on_this_machine(base_url: String) -> Self {
        Self { base_url, is_rehearsal: true, key_file: None, directory: PathBuf::new(), is_embedded: false }
    }

    /// The embedded simulator's address, once it runs.
    pub(super) fn embedded(base_url: String) -> Self {
        Self { is_embedded: true, ..Self::on_this_machine(base_url) }
    }

    /// What the environment alone says, without a campaign: for looking only.
    pub(super) fn of_environment() -> Self {
        let base_url = from_environment(BASE_URL).unwrap_or_else(|| ANNIE.into());
        Self { is_rehearsal: is_loopback(&base_url), ..Self::on_this_machine(base_url) }
    }

    /// A client with the environment's own credentials.
    pub(super) fn own_client(&self, clock: SharedClock) -> Result<AnnieClient, Stop> {
        self.client(self.own().map_err(|problem| usage(&problem))?, clock)
    }

    /// A client with the credentials of one of the campaign's organisations.
    pub(super) fn client_of(
        &self,
        campaign: &Campaign,
        account: &Account,
        clock: SharedClock,
    ) -> Result<AnnieClient, Stop> {
        self.client(self.credentials_of(campaign, account)?, clock)
    }

    pub(super) fn client(&self, credentials: Credentials, clock: SharedClock) -> Result<AnnieClient, Stop> {
        let settings = ClientSettings { base_url: self.base_url.clone(), ..ClientSettings::new(credentials) };
        AnnieClient::new(settings, clock).map_err(|problem| usage(&problem))
    }

    /// The credentials of every organisation of a campaign, in its order: from the environment, or from a key file; a
    /// simulated vendor needs none.
    pub(super) fn credentials(&self, campaign: &Campaign) -> Result<Vec<Credentials>, Stop> {
        campaign.lines.accounts().iter().map(|account| self.credentials_of(campaign, account)).collect()
    }

    fn credentials_of(&self, campaign: &Campaign, account: &Account) -> Result<Credentials, Stop> {
        if campaign.lines.are_written() { self.of(account) } else { self.own().map_err(|problem| usage(&problem)) }
    }

    /// What an organisation has in its own name; the campaign's own one may go by the plain names as well.
    fn of(&self, account: &Account) -> Result<Credentials, Stop> {
        if self.is_embedded {
            let key = Some(demo_key(&account.organisation));
            return Credentials::from_parts(key, None, None, None).map_err(|problem| usage(&problem));
        }
        let suffix = suffix(account.organisation.as_str());
        let [key, id, secret] = VARIABLES.map(|name| from_environment(&format!("{name}_{suffix}")));
        let of_whom = |problem: CredentialsProblem| usage(&told(&account.organisation, &suffix, &problem));
        if key.is_some() || id.is_some() || secret.is_some() {
            return Credentials::from_parts(key, id, secret, None).map_err(of_whom);
        }
        if let Some(file) = &account.key_file {
            return Credentials::from_key_file(&self.directory.join(file)).map_err(of_whom);
        }
        if account.is_practices || self.is_rehearsal {
            return self.own().map_err(of_whom);
        }
        Err(of_whom(CredentialsProblem::Missing))
    }

    /// The credentials of a campaign's one organisation.
    fn own(&self) -> Result<Credentials, CredentialsProblem> {
        let [key, id, secret] = VARIABLES.map(from_environment);
        let nothing = key.is_none() && id.is_none() && secret.is_none();
        if nothing && let Some(file) = &self.key_file {
            return Credentials::from_key_file(file);
        }
        let key = if nothing && self.is_rehearsal { Some(DEMO_KEY.into()) } else { key };
        Credentials::from_parts(key, id, secret, None)
    }
}

/// Where credentials are; an organisation of several adds its name to each.
const VARIABLES: [&str; 3] = ["ANNIE_API_KEY", "ANNIE_CLIENT_ID", "ANNIE_CLIENT_SECRET"];

/// By which key the embedded simulator knows an organisation.
pub(super) fn demo_key(organisation: &OrganisationId) -> String {
    format!("{DEMO_KEY}-{}", suffix(organisation.as_str()))
}

fn usage(problem: &dyn std::fmt::Display) -> Stop {
    Stop::Usage(problem.to_string())
}

/// A problem of one organisation's credentials.
fn told(organisation: &OrganisationId, suffix: &str, problem: &CredentialsProblem) -> String {
    match problem {
        CredentialsProblem::Missing => format!(
            "there are no credentials of {organisation}: set ANNIE_API_KEY_{suffix}, or ANNIE_CLIENT_ID_{suffix} and \
             ANNIE_CLIENT_SECRET_{suffix}, or give its line a key_file"
        ),
        CredentialsProblem::Ambiguous
        | CredentialsProblem::NoSecret
        | CredentialsProblem::NoClient
        | CredentialsProblem::Unusable(_)
        | CredentialsProblem::KeyFile(_) => {
            format!("the credentials of {organisation}, whose variables end in _{suffix}: {problem}")
        }
    }
}
