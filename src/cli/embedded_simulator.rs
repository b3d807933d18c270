//! The simulator that runs in this process for a rehearsal: one simulated organisation for each of the campaign's.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::campaign::locations::variable_suffix;
use crate::campaign::{Campaign, Organisation, SimulatorSettings};
use crate::clock::SharedClock;
use crate::error::CommandError;
use crate::simulator::{Running, Settings, Simulator};
use crate::visible::DisplayPath;
use crate::wording::io_error;

use super::simulator_options;
use super::vendor_config::demo_key;

/// What happens to the simulator's call logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallLogs {
    /// The campaign is new on the ledger, so they hold the calls of an earlier ledger and are started anew.
    Anew,
    /// They go on.
    Continued,
    /// They are read and not changed: a run may be writing them.
    ReadOnly,
}

impl CallLogs {
    /// For a run of a campaign that is new on the ledger, or not.
    pub(super) fn of_run(is_new_campaign: bool) -> Self {
        if is_new_campaign { Self::Anew } else { Self::Continued }
    }
}

/// Starts the simulator on a free port. Its call logs are next to the ledger.
pub(super) fn start(
    campaign: &Campaign,
    simulator: &SimulatorSettings,
    clock: &SharedClock,
    ledger: &Path,
    logs: CallLogs,
) -> Result<Running, CommandError> {
    let organisations = campaign.locations.organisations().iter();
    let organisations: Vec<_> = organisations
        .map(|organisation| settings(campaign, organisation, simulator, ledger, logs))
        .collect::<Result<_, _>>()?;
    Simulator::start_for_all(organisations, Arc::clone(clock), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .map_err(|error| CommandError::Usage(format!("the embedded simulator cannot start: {}", io_error(&error))))
}

fn settings(
    campaign: &Campaign,
    organisation: &Organisation,
    simulator: &SimulatorSettings,
    ledger: &Path,
    logs: CallLogs,
) -> Result<Settings, CommandError> {
    let has_locations = campaign.locations.are_defined();
    let suffix = if has_locations { format!(".{}", variable_suffix(organisation.id.as_str())) } else { String::new() };
    let name = format!("{}{suffix}", campaign.name);
    let mut log = ledger.to_path_buf().into_os_string();
    log.push(format!(".{name}.simulator.jsonl"));
    let log = PathBuf::from(log);
    if logs == CallLogs::Anew && log.exists() {
        std::fs::remove_file(&log).map_err(|error| CommandError::Output { what: log.shown(), why: error.kind() })?;
    }
    let mut settings = Settings { seed: simulator.seed, name, log: Some(log), ..Settings::default() };
    settings.replays_only = logs == CallLogs::ReadOnly;
    settings.rules.zone = organisation.practices[0].zone.clone();
    settings.from_numbers = organisation.numbers();
    settings.faults = simulator_options::faults(&simulator.faults)?;
    if has_locations {
        settings.access.keys = Some(vec![demo_key(&organisation.id).into()]);
    }
    settings.wording.bot_style = simulator_options::bot_style(simulator.bot_style)?;
    if let Some(people) = &simulator.people {
        settings.people = simulator_options::people(&campaign.source.resolve(people))?;
    }
    Ok(settings)
}
