//! Which vendor a campaign's calls go to, and with which credentials.

use std::path::PathBuf;

use crate::annie::address::Address;
use crate::annie::auth::Credentials;
use crate::campaign::{Campaign, SimulatorSettings, Vendor};
use crate::error::Stop;
use crate::phone::{E164, NorthAmerican};

/// Overrides the API's address.
const BASE_URL: &str = "ANNIE_BASE_URL";

/// The vendor's own address (`annie-api.md`, Basics).
const LIVE: &str = "https://api.helloannie.com/v1";

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
    pub(super) is_loopback: bool,
    key_file: Option<PathBuf>,
}

/// Whether the environment sends the calls to this machine.
pub(super) fn address_is_loopback() -> bool {
    from_environment(BASE_URL).is_some_and(|url| is_loopback(&url))
}

fn is_loopback(url: &str) -> bool {
    Address::parse(url).is_ok_and(|address| address.is_loopback())
}

/// An environment variable that is set and not empty.
pub(super) fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

impl Api {
    /// The API that a campaign's calls go to. A simulated campaign is never sent to a live address.
    pub(super) fn of(campaign: &Campaign) -> Result<Self, Stop> {
        let wanted = from_environment(BASE_URL);
        match &campaign.vendor {
            Vendor::Simulator(settings) => match wanted {
                Some(base_url) if is_loopback(&base_url) => {
                    Ok(Self::Remote(Remote { base_url, is_loopback: true, key_file: None }))
                }
                Some(_) => Err(Stop::Usage(format!(
                    "this campaign is for the simulator, but {BASE_URL} names another API: unset it, or set [vendor] kind = \"annie\""
                ))),
                None => Ok(Self::Embedded(settings.clone())),
            },
            Vendor::Annie { key_file } => {
                let base_url = wanted.unwrap_or_else(|| LIVE.into());
                let is_loopback = is_loopback(&base_url);
                if !is_loopback {
                    refuse_fiction(campaign)?;
                }
                let key_file = key_file.as_ref().map(|file| campaign.source.directory.join(file));
                Ok(Self::Remote(Remote { base_url, is_loopback, key_file }))
            }
        }
    }

    /// Whether nobody's phone can ring.
    pub(super) fn is_simulated(&self) -> bool {
        match self {
            Self::Embedded(_) => true,
            Self::Remote(remote) => remote.is_loopback,
        }
    }
}

/// What of a starting point nobody has replaced yet.
fn refuse_fiction(campaign: &Campaign) -> Result<(), Stop> {
    let practice = &campaign.practice;
    let fictitious = |number: E164| number.north_american().is_some_and(NorthAmerican::is_fictitious);
    let mut left = Vec::new();
    if practice.name.contains(['<', '>']) {
        left.push("name still stands in angle brackets");
    }
    if fictitious(practice.from_number) {
        left.push("from_number is a 555-01xx number, which cannot call");
    }
    if fictitious(practice.callback_number) {
        left.push("callback_number is a 555-01xx number, which rings nobody");
    }
    if left.is_empty() {
        return Ok(());
    }
    let left: Vec<_> = left.iter().map(|what| format!("\n  practice.{what}")).collect();
    Err(Stop::Usage(format!(
        "the campaign file is not yet the practice's own:{}\nput the practice's own in their place, or try it out with \
         [vendor] kind = \"simulator\"",
        left.concat()
    )))
}

impl Remote {
    /// The embedded simulator's address, once it runs.
    pub(super) fn embedded(base_url: String) -> Self {
        Self { base_url, is_loopback: true, key_file: None }
    }

    /// The credentials: from the environment, or from the campaign's key file; a simulated vendor needs none.
    pub(super) fn credentials(&self) -> Result<Credentials, Stop> {
        let (key, id, secret) = (
            from_environment("ANNIE_API_KEY"),
            from_environment("ANNIE_CLIENT_ID"),
            from_environment("ANNIE_CLIENT_SECRET"),
        );
        let nothing = key.is_none() && id.is_none() && secret.is_none();
        let usage = |problem: &dyn std::fmt::Display| Stop::Usage(problem.to_string());
        if nothing && let Some(file) = &self.key_file {
            return Credentials::from_key_file(file).map_err(|problem| usage(&problem));
        }
        let key = if nothing && self.is_loopback { Some(DEMO_KEY.into()) } else { key };
        Credentials::from_parts(key, id, secret, None).map_err(|problem| usage(&problem))
    }
}
