//! `pause`: no run of a campaign places a call until it is resumed, or until a day.

use crate::clock::{Clock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::ids::CampaignName;
use crate::ledger::{LedgerReader, Pause};
use crate::zone::Zone;

use super::args::{GlobalArgs, PauseArgs};
use super::decision_scope::NamedScope;
use super::output::Output;
use super::resolve::{open_operator_of, operator_name};
use super::status::zone_of;

pub(super) fn pause(args: &PauseArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let NamedScope { scope, ledger } = NamedScope::from_args(&args.scope, global)?;
    let mut operator = open_operator_of(&ledger)?;
    let since = operator.not_before_newest(WallClock.now())?;
    let (newest, _) = operator.find(&scope)?;
    let zone = zone_of(&LedgerReader::open(&ledger)?.run(Some(newest.run))?)?;
    let until = args.until.map(|until| until.instant(&zone));
    if until.is_some_and(|until| until <= since) {
        return Err(CommandError::Usage("--until is in the past, so nothing would be paused".into()));
    }
    let pause = Pause { by: operator_name(), since, until };
    let campaign = operator.pause(&scope, &pause)?;
    if output.json {
        output.document(&serde_json::json!({
            "campaign": campaign, "by": pause.by, "since": pause.since, "until": pause.until
        }))?;
    }
    let ends = until.map_or_else(
        || format!("`callrounds resume {}` lifts the pause", newest.run),
        |until| {
            format!(
                "the pause ends on {}; `callrounds resume {}` lifts it before that",
                zone.date_and_time(until),
                newest.run
            )
        },
    );
    output.say(&format!(
        "{campaign} is paused: no run of it places a call, and calls under way are followed to their end; {ends}"
    ));
    Ok(ExitStatus::Done)
}

/// A campaign's pause, for a command that meets it.
pub(super) fn description(campaign: &CampaignName, pause: &Pause, zone: &Zone) -> String {
    let Pause { by, since, until } = pause;
    let until = until.map_or_else(String::new, |until| format!(", until {}", zone.date_and_time(until)));
    format!(
        "{campaign} is paused by {by} since {}{until}: nobody is called; `callrounds resume` lifts the pause",
        zone.date_and_time(*since)
    )
}
