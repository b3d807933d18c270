//! `explain`: what happened to one patient, and why.

use crate::error::{Exit, Stop};
use crate::ledger::{EntryRow, LedgerError, Reader};
use crate::report::explain::{self, Story};

use super::args::{Explain, Global};
use super::output::Output;
use super::setting;
use super::status::zone_of;

pub(super) fn explain(args: &Explain, global: &Global, output: Output) -> Result<Exit, Stop> {
    let reader = Reader::open(&setting::ledger_around(global))?;
    let run = reader.run(None)?;
    let zone = zone_of(&run)?;
    let mut found = Vec::new();
    reader.each_entry(run.handle, |row| {
        if is_meant(&args.patient, &row) {
            found.push(row);
        }
        Ok::<_, LedgerError>(())
    })?;
    if found.is_empty() {
        return Err(Stop::Usage(format!(
            "no such patient in the campaign {}; give a patient's id, an entry's number or a phone number in the form \
             +13125550142, and look into the rejects file, too",
            run.campaign
        )));
    }
    let stories: Vec<_> = found
        .iter()
        .map(|row| Ok(Story::new(row, reader.events_of(row.entry)?)))
        .collect::<Result<_, LedgerError>>()?;
    if output.json {
        output.document(&stories)?;
    } else {
        output.data(&stories.iter().map(|story| explain::told(story, &zone)).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Exit::Done)
}

fn is_meant(wanted: &str, row: &EntryRow) -> bool {
    row.key.parts().any(|part| part == wanted)
        || row.patient.patient_id.as_deref() == Some(wanted)
        || row.entry.to_string() == wanted
        || row.phone.expose() == wanted
}
