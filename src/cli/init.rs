//! `init`: writes a campaign file as a starting point.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use crate::campaign::Purpose;
use crate::error::{CommandError, ExitStatus};
use crate::visible::DisplayPath;

use super::args::InitArgs;
use super::output::Output;

/// Writes the purpose's example of `campaigns/`. An existing file is never overwritten.
pub(super) fn init(args: &InitArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let (name, text) = starting_point(args.purpose.purpose());
    let path = args.file.clone().unwrap_or_else(|| name.into());
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            let path = path.shown();
            return CommandError::Usage(format!("{path} exists and was not changed: name another file"));
        }
        CommandError::Output { what: path.shown(), why: error.kind() }
    })?;
    // The example's comments name the folder of this repository.
    let text = text.replace("campaigns/", "");
    file.write_all(text.as_bytes()).map_err(|error| CommandError::Output { what: path.shown(), why: error.kind() })?;
    let path = path.shown();
    if output.json {
        output.document(&serde_json::json!({ "file": path }))?;
    }
    output.say(&format!(
        "wrote {path}: replace the practice's name, time zone and numbers where the file says so, then check it with\n\
         \x20   callrounds check {path} --list EXPORT.csv"
    ));
    Ok(ExitStatus::Done)
}

fn starting_point(purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::Recall => ("recall.toml", include_str!("../../campaigns/recall.toml")),
        Purpose::Reminder => ("reminder.toml", include_str!("../../campaigns/reminder.toml")),
        Purpose::FollowUp => ("follow-up.toml", include_str!("../../campaigns/follow-up.toml")),
    }
}
