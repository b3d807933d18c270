//! `resume`: continues an unfinished run from the ledger alone.

use std::sync::Arc;

use crate::campaign::SafetyOverrides;
use crate::error::{CommandError, ExitStatus};
use crate::ids::RunId;
use crate::ledger::{LedgerKind, LedgerReader};

use super::args::{GlobalArgs, ResumeArgs};
use super::output::Output;
use super::resolve::operator_name;
use super::vendor_config::VendorConfig;
use super::{prompt, session, settings};

pub(super) async fn resume(args: &ResumeArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let ledger_path = settings::find_ledger(global)?;
    let wanted = args.run.map(RunId);
    let reader = LedgerReader::open(&ledger_path)?;
    let found = reader.run_start(wanted)?;
    let name = format!("the campaign {} in the ledger", found.campaign);
    // A run of `run --rehearse` continues as a rehearsal, whatever the campaign's text says.
    let is_rehearsed = reader.kind()? == Some(LedgerKind::Rehearsal);
    let overrides = SafetyOverrides { short_settle: is_rehearsed };
    let campaign = Arc::new(settings::parse_campaign(&found.source.text, &name, found.source.directory, overrides)?);
    let api = VendorConfig::from_campaign(&campaign, is_rehearsed && !campaign.vendor.rehearsal)?;
    prompt::refuse_early(&api, &args.options, output)?;
    // A connection that stays open for the whole run would keep the run from being the last to close its ledger.
    drop(reader);
    let session = session::Session::open(ledger_path, campaign, api, &args.options, output).await?;
    let reopened = session.ledger.reopen_run(Some(found.run)).await?;
    if !reopened.listed {
        return Err(CommandError::Usage(format!(
            "run {} stopped before its list was fully enrolled: continue it with `callrounds run` and the list",
            found.run
        )));
    }
    session.confirm(found.accepted, args.options.yes, output)?;
    if session.ledger.lift_pause(reopened.handle, operator_name(), session.setup.clock.now()).await? {
        output.say(&format!("the pause of {} is lifted", found.campaign));
    }
    session.run(reopened.handle, None, output).await
}
