//! `resume`: go on with an unfinished run from the ledger alone.

use std::sync::Arc;

use crate::campaign::Allowances;
use crate::engine::exclusions::Nobody;
use crate::error::{Exit, Stop};
use crate::ids::RunId;
use crate::ledger::{LedgerKind, Reader};

use super::api::Api;
use super::args::{Global, Resume};
use super::output::Output;
use super::{placing, setting};

pub(super) async fn resume(args: &Resume, global: &Global, output: Output) -> Result<Exit, Stop> {
    let ledger_path = setting::ledger_around(global)?;
    let wanted = args.run.map(RunId);
    let reader = Reader::open(&ledger_path)?;
    let found = reader.begun(wanted)?;
    let name = format!("the campaign {} in the ledger", found.campaign);
    // What `run --rehearse` began goes on as that, whatever the campaign's own text says.
    let is_rehearsed = reader.kind()? == Some(LedgerKind::Rehearsal);
    let allowances = Allowances { short_settle: is_rehearsed };
    let campaign = Arc::new(setting::parse_campaign(&found.source.text, &name, found.source.directory, allowances)?);
    let api = Api::of(&campaign, is_rehearsed && !campaign.vendor.rehearsal)?;
    placing::refuse_early(&api, &args.placing)?;
    let session = placing::Session::open(ledger_path, campaign, api, &args.placing, output).await?;
    let reopened = session.ledger.reopen_run(Some(found.run)).await?;
    if !reopened.listed {
        return Err(Stop::Usage(format!(
            "run {} was stopped before its list was enrolled to the end: `callrounds run` with the list goes on",
            found.run
        )));
    }
    session.confirm(found.accepted, args.placing.yes, output)?;
    session.place(reopened.handle, &mut Nobody, output).await
}
