//! `resume`: go on with an unfinished run from the ledger alone.

use std::sync::Arc;

use crate::engine::exclusions::Nobody;
use crate::error::{Exit, Stop};
use crate::ids::RunId;
use crate::ledger::Reader;

use super::api::Api;
use super::args::{Global, Resume};
use super::output::Output;
use super::{placing, setting};

pub(super) async fn resume(args: &Resume, global: &Global, output: Output) -> Result<Exit, Stop> {
    let ledger_path = setting::ledger_around(global)?;
    let wanted = args.run.map(RunId);
    let found = Reader::open(&ledger_path)?.begun(wanted)?;
    let name = format!("the campaign {} in the ledger", found.campaign);
    let campaign =
        Arc::new(setting::parse_campaign(&found.source.text, &name, found.source.directory, setting::here())?);
    let api = Api::of(&campaign)?;
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
