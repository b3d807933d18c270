//! The campaign that a command names: one that the ledger has.

use std::path::Path;

use crate::did_you_mean::nearest;
use crate::error::CommandError;
use crate::ids::CampaignName;
use crate::ledger::{LedgerError, LedgerReader};
use crate::visible;

use super::args::GlobalArgs;
use super::settings;

/// The campaign with this name; refused if the ledger has none.
pub(super) fn known_campaign(reader: &LedgerReader, name: &str) -> Result<CampaignName, CommandError> {
    let campaign = CampaignName::new(name);
    if reader.has_campaign(&campaign)? { Ok(campaign) } else { Err(unknown(reader, "", name)?) }
}

/// The same for a command that is about all campaigns unless `--campaign` names one.
pub(super) fn known_or_all(reader: &LedgerReader, name: Option<&str>) -> Result<Option<CampaignName>, CommandError> {
    name.map(|name| known_campaign(reader, name)).transpose()
}

/// The ledger, and the name of the campaign that `target` names: a campaign file, or the name of a campaign that the
/// ledger has.
pub(super) fn campaign_on_ledger(
    target: &str,
    global: &GlobalArgs,
) -> Result<(LedgerReader, CampaignName), CommandError> {
    let file = Path::new(target);
    if file.is_file() {
        let campaign = settings::campaign(file)?;
        let ledger = settings::ledger_in(global, &campaign.source.directory);
        return Ok((LedgerReader::open(&ledger)?, campaign.name));
    }
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    let campaign = CampaignName::new(target);
    if reader.has_campaign(&campaign)? {
        return Ok((reader, campaign));
    }
    let no_file = format!("there is no campaign file {}, and ", visible::value(target));
    Err(unknown(&reader, &no_file, target)?)
}

fn unknown(reader: &LedgerReader, no_file: &str, name: &str) -> Result<CommandError, LedgerError> {
    let names = reader.campaign_names()?;
    let known: Vec<_> = names.iter().map(CampaignName::as_str).collect();
    let hint =
        nearest(name, known.iter().copied()).map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    let known = if known.is_empty() { "none".into() } else { known.join(", ") };
    let name = visible::value(name);
    Ok(CommandError::Usage(format!("{no_file}the ledger has no campaign {name}; it has {known}{hint}")))
}
