//! `init`: a campaign file to start from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use crate::campaign::Purpose;
use crate::error::{Exit, Stop};
use crate::visible::Shown;

use super::args::Init;
use super::output::Output;

/// Writes the purpose's starting point, as `campaigns/` has it. A file that is there is never overwritten.
pub(super) fn init(args: &Init, output: Output) -> Result<Exit, Stop> {
    let (name, text) = starting_point(args.purpose.meant());
    let path = args.file.clone().unwrap_or_else(|| name.into());
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            let path = path.shown();
            return Stop::Usage(format!("there is a file at {path} already; it was left as it is: name another one"));
        }
        Stop::Output { what: path.shown(), why: error.kind() }
    })?;
    // The example speaks of the folder that it is in here.
    let text = text.replace("campaigns/", "");
    file.write_all(text.as_bytes()).map_err(|error| Stop::Output { what: path.shown(), why: error.kind() })?;
    let path = path.shown();
    output.say(&format!(
        "{path} is a campaign to start from: put the practice's own name, zone and numbers where it says so, then look with\n\
         \x20   callrounds check {path} --list EXPORT.csv"
    ));
    Ok(Exit::Done)
}

fn starting_point(purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::Recall => ("recall.toml", include_str!("../../campaigns/recall.toml")),
        Purpose::Reminder => ("reminder.toml", include_str!("../../campaigns/reminder.toml")),
        Purpose::FollowUp => ("follow-up.toml", include_str!("../../campaigns/follow-up.toml")),
    }
}
