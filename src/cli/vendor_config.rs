//! The API or simulator that a campaign's calls go to, and the credentials for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::campaign::locations::variable_suffix;
use crate::campaign::{Campaign, Organisation, Practice, SimulatorSettings, VendorKind};
use crate::clock::SharedClock;
use crate::error::CommandError;
use crate::ids::OrganisationId;
use crate::ledger::LedgerKind;
use crate::phone::{E164, NorthAmerican};
use crate::vendor::annie::auth::{Credentials, CredentialsError};
use crate::vendor::annie::client::{ANNIE, AnnieClient, ClientSettings, PAGE_LIMIT};
use crate::vendor::http::address::Address;

use super::environment::{self, BASE_URL, CREDENTIALS};

// The client asks for no longer page, so a longer one would never come.
const _: () = assert!(VendorKind::Annie.limits().page_rows == PAGE_LIMIT);

/// An API key for simulated vendors, which accept any.
const DEMO_KEY: &str = "annie-sk-v1-simulator";

/// The destination of the calls.
#[derive(Debug, Clone)]
pub(super) enum VendorConfig {
    /// The simulator in this process.
    Embedded(SimulatorSettings),
    /// An API at an address.
    Remote(RemoteApi),
}

/// An API at an address, with the sources of its credentials.
#[derive(Debug, Clone)]
pub(super) struct RemoteApi {
    pub(super) base_url: String,
    /// Set only if the campaign or the command asks for a rehearsal and the address is on this machine. A loopback
    /// address alone is no proof, because a tunnel may lead to the real API.
    pub(super) is_rehearsal: bool,
    /// The key file of `[vendor]`.
    key_file: Option<PathBuf>,
    /// The campaign file's folder, to which the key files of `[[line]]` tables are relative.
    directory: PathBuf,
    /// Whether it is the simulator in this process, which has a key of [`demo_key`] for each organisation.
    is_embedded: bool,
}

fn is_loopback(url: &str) -> bool {
    Address::parse(url).is_ok_and(|address| address.is_loopback())
}

impl VendorConfig {
    /// The destination of a campaign's calls; `rehearse` makes any campaign a rehearsal. A rehearsal never uses an
    /// address on another machine.
    pub(super) fn from_campaign(campaign: &Campaign, rehearse: bool) -> Result<Self, CommandError> {
        let config = Self::destination(campaign, rehearse)?;
        config.refuse_placeholders(campaign)?;
        Ok(config)
    }

    /// The same for a campaign that may still have placeholders.
    pub(super) fn destination(campaign: &Campaign, rehearse: bool) -> Result<Self, CommandError> {
        let vendor = &campaign.vendor;
        let is_rehearsal = rehearse || vendor.rehearsal;
        let remote = |base_url| {
            let directory = campaign.source.directory.clone();
            let key_file = vendor.key_file.as_ref().map(|file| directory.join(file));
            Self::Remote(RemoteApi { base_url, is_rehearsal, key_file, directory, is_embedded: false })
        };
        match (environment::variable(BASE_URL), vendor.kind) {
            (Some(base_url), _) if is_rehearsal && is_loopback(&base_url) => Ok(remote(base_url)),
            (Some(_), _) if is_rehearsal => Err(CommandError::Usage(format!(
                "this is a rehearsal, but {BASE_URL} is not an address on this machine; nothing was sent: set it to a \
                 simulator's address, such as http://127.0.0.1:4010/v1, or leave out {}",
                if rehearse { "--rehearse" } else { "[vendor] rehearsal = true" }
            ))),
            (Some(_), VendorKind::Simulator) => Err(CommandError::Usage(format!(
                "this campaign is for the embedded simulator, but {BASE_URL} names another API: unset it, or add \
                 rehearsal = true below [vendor] if that is a simulator on this machine"
            ))),
            (None, VendorKind::Simulator) => Ok(Self::Embedded(vendor.simulator.clone())),
            (None, VendorKind::Annie) if rehearse => Ok(Self::Embedded(vendor.simulator.clone())),
            (None, VendorKind::Annie) if is_rehearsal => Err(CommandError::Usage(format!(
                "[vendor] rehearsal = true needs a simulator on this machine, but {BASE_URL} is not set; nothing was sent: set it, \
                 such as to http://127.0.0.1:4010/v1, or use `run --rehearse`, which has an embedded simulator"
            ))),
            (base_url, VendorKind::Annie) => Ok(remote(base_url.unwrap_or_else(|| ANNIE.into()))),
        }
    }

    /// Refuses live calls while the campaign file has placeholders of a starting point.
    pub(super) fn refuse_placeholders(&self, campaign: &Campaign) -> Result<(), CommandError> {
        if self.is_rehearsal() { Ok(()) } else { refuse_placeholders(campaign) }
    }

    /// Whether nobody is called: because of the campaign or the command, never because of an address alone.
    pub(super) fn is_rehearsal(&self) -> bool {
        match self {
            Self::Embedded(_) => true,
            Self::Remote(remote) => remote.is_rehearsal,
        }
    }

    /// The kind of ledger for its calls.
    pub(super) fn ledger_kind(&self) -> LedgerKind {
        if self.is_rehearsal() { LedgerKind::Rehearsal } else { LedgerKind::Live }
    }
}

fn refuse_placeholders(campaign: &Campaign) -> Result<(), CommandError> {
    let locations = campaign.locations.iter().map(|(location, practice)| (format!("location {location}: "), practice));
    let practices = std::iter::once(("practice.".to_owned(), &campaign.practice)).chain(locations);
    let found: Vec<_> = practices
        .flat_map(|(prefix, practice)| {
            placeholders(practice).into_iter().map(move |what| format!("\n  {prefix}{what}"))
        })
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "the campaign file has placeholders:{}\nreplace them with the practice's own values, or try the campaign out with \
         `run --rehearse`",
        found.concat()
    )))
}

fn placeholders(practice: &Practice) -> Vec<&'static str> {
    let fictitious = |number: E164| number.north_american().is_some_and(NorthAmerican::is_fictitious);
    [
        (practice.name.contains(['<', '>']), "name has angle brackets"),
        (fictitious(practice.from_number), "from_number is a 555-01xx number, which cannot call"),
        (fictitious(practice.callback_number), "callback_number is a 555-01xx number, which reaches nobody"),
    ]
    .into_iter()
    .filter_map(|(is_placeholder, what)| is_placeholder.then_some(what))
    .collect()
}

impl RemoteApi {
    fn on_this_machine(base_url: String) -> Self {
        Self { base_url, is_rehearsal: true, key_file: None, directory: PathBuf::new(), is_embedded: false }
    }

    /// The embedded simulator at its address.
    pub(super) fn embedded(base_url: String) -> Self {
        Self { is_embedded: true, ..Self::on_this_machine(base_url) }
    }

    /// The API of the environment alone, without a campaign, for `doctor`. It places no calls, so a loopback address is
    /// enough for a rehearsal.
    pub(super) fn from_environment() -> Self {
        let base_url = environment::variable(BASE_URL).unwrap_or_else(|| ANNIE.into());
        Self { is_rehearsal: is_loopback(&base_url), ..Self::on_this_machine(base_url) }
    }

    /// A client with the credentials of the variables without a suffix.
    pub(super) fn default_client(&self, clock: SharedClock) -> Result<AnnieClient, CommandError> {
        self.client(self.default_credentials().map_err(|problem| usage(&problem))?, clock)
    }

    /// A client with the credentials of one of the campaign's organisations.
    pub(super) fn client_of(
        &self,
        campaign: &Campaign,
        organisation: &Organisation,
        clock: SharedClock,
    ) -> Result<AnnieClient, CommandError> {
        self.client(self.credentials_of(campaign, organisation)?, clock)
    }

    /// A client for each organisation of a campaign, with its credentials.
    pub(super) fn clients(
        &self,
        campaign: &Campaign,
        clock: &SharedClock,
    ) -> Result<BTreeMap<OrganisationId, Arc<AnnieClient>>, CommandError> {
        let mut clients: BTreeMap<OrganisationId, Arc<AnnieClient>> = BTreeMap::new();
        for (organisation, credentials) in campaign.locations.organisations().iter().zip(self.credentials(campaign)?) {
            let client = match clients.values().next() {
                Some(first) => first.with_credentials(credentials).map_err(|problem| usage(&problem))?,
                None => self.client(credentials, SharedClock::clone(clock))?,
            };
            clients.insert(organisation.id.clone(), Arc::new(client));
        }
        Ok(clients)
    }

    fn client(&self, credentials: Credentials, clock: SharedClock) -> Result<AnnieClient, CommandError> {
        let settings = ClientSettings { base_url: self.base_url.clone(), ..ClientSettings::new(credentials) };
        AnnieClient::new(settings, clock).map_err(|problem| usage(&problem))
    }

    /// The credentials of every organisation of a campaign, in its order, from the environment or a key file. A
    /// rehearsal needs none.
    pub(super) fn credentials(&self, campaign: &Campaign) -> Result<Vec<Credentials>, CommandError> {
        let organisations = campaign.locations.organisations().iter();
        organisations.map(|organisation| self.credentials_of(campaign, organisation)).collect()
    }

    fn credentials_of(&self, campaign: &Campaign, organisation: &Organisation) -> Result<Credentials, CommandError> {
        if campaign.locations.are_defined() {
            self.organisation_credentials(organisation)
        } else {
            self.default_credentials().map_err(|problem| usage(&problem))
        }
    }

    /// The credentials of one of several organisations: from its variables with a suffix, its key file or, for the
    /// organisation of `[practice]`, the variables without a suffix.
    fn organisation_credentials(&self, organisation: &Organisation) -> Result<Credentials, CommandError> {
        if self.is_embedded {
            let key = Some(demo_key(&organisation.id));
            return Credentials::from_parts(key, None, None, None).map_err(|problem| usage(&problem));
        }
        let suffix = variable_suffix(organisation.id.as_str());
        let [key, id, secret] = CREDENTIALS.map(|name| environment::variable(&format!("{name}_{suffix}")));
        let named = |problem: CredentialsError| usage(&render_problem(&organisation.id, &suffix, &problem));
        if key.is_some() || id.is_some() || secret.is_some() {
            return Credentials::from_parts(key, id, secret, None).map_err(named);
        }
        if let Some(file) = &organisation.key_file {
            return Credentials::from_key_file(&self.directory.join(file)).map_err(named);
        }
        if organisation.is_primary || self.is_rehearsal {
            return self.default_credentials().map_err(named);
        }
        Err(named(CredentialsError::Missing))
    }

    /// The credentials of the variables without a suffix, or else of the key file of `[vendor]`; a rehearsal without
    /// any uses the demo key.
    fn default_credentials(&self) -> Result<Credentials, CredentialsError> {
        let [key, id, secret] = CREDENTIALS.map(environment::variable);
        let is_unset = key.is_none() && id.is_none() && secret.is_none();
        if is_unset && let Some(file) = &self.key_file {
            return Credentials::from_key_file(file);
        }
        let key = if is_unset && self.is_rehearsal { Some(DEMO_KEY.into()) } else { key };
        Credentials::from_parts(key, id, secret, None)
    }
}

/// The API key of an organisation at the embedded simulator.
pub(super) fn demo_key(organisation: &OrganisationId) -> String {
    format!("{DEMO_KEY}-{}", variable_suffix(organisation.as_str()))
}

fn usage(problem: &dyn std::fmt::Display) -> CommandError {
    CommandError::Usage(problem.to_string())
}

/// The message about one organisation's credentials.
fn render_problem(organisation: &OrganisationId, suffix: &str, problem: &CredentialsError) -> String {
    match problem {
        CredentialsError::Missing => format!(
            "there are no credentials for {organisation}: set ANNIE_API_KEY_{suffix}, or ANNIE_CLIENT_ID_{suffix} and \
             ANNIE_CLIENT_SECRET_{suffix}, or add key_file to its [[line]]"
        ),
        CredentialsError::Ambiguous
        | CredentialsError::NoSecret
        | CredentialsError::NoClient
        | CredentialsError::Unusable(_)
        | CredentialsError::KeyFile(_) => {
            format!("the credentials of {organisation}, whose variables end in _{suffix}: {problem}")
        }
    }
}
