//! The run or the campaign that `pause` and `cancel` are about.

use std::path::{Path, PathBuf};

use crate::error::CommandError;
use crate::ids::RunId;
use crate::ledger::{DecisionScope, LedgerReader};

use super::args::{GlobalArgs, ScopeArgs};
use super::known_campaign::known_campaign;
use super::settings;

/// What a decision is about, and the ledger that has it.
pub(super) struct NamedScope {
    pub(super) scope: DecisionScope,
    pub(super) ledger: PathBuf,
}

impl NamedScope {
    /// A campaign may be named by its file, which also says where the ledger is.
    pub(super) fn from_args(args: &ScopeArgs, global: &GlobalArgs) -> Result<Self, CommandError> {
        match (&args.campaign, args.run) {
            (Some(file), _) if Path::new(file).is_file() => {
                let campaign = settings::campaign_for(Path::new(file), true)?;
                let ledger = settings::ledger_in(global, &campaign.source.directory);
                Ok(Self { scope: DecisionScope::Campaign(campaign.name), ledger })
            }
            (Some(name), _) => {
                let ledger = settings::find_ledger(global)?;
                let campaign = known_campaign(&LedgerReader::open(&ledger)?, name)?;
                Ok(Self { scope: DecisionScope::Campaign(campaign), ledger })
            }
            (None, Some(run)) => {
                Ok(Self { scope: DecisionScope::Run(RunId(run)), ledger: settings::find_ledger(global)? })
            }
            (None, None) => Ok(Self { scope: DecisionScope::Newest, ledger: settings::find_ledger(global)? }),
        }
    }
}
