//! How a run ended: the exit status of its command, or the error with the advice for the operator.

use crate::ending::Ending;
use crate::engine::{RunResult, StopReason};
use crate::error::{CommandError, ExitStatus};
use crate::ids::Location;

/// The warning for a ledger with calls whose high-water mark is missing. What creates a new one follows it.
pub(super) const NO_HIGH_WATER_MARK: &str = "the high-water mark next to the ledger is missing, so only the vendor's list can \
                                             show whether this ledger is an older copy";

/// The command's result: the exit status that the entries' states determine (`standing`), or, if the ending of the run
/// decides it, an error with the reason and a fix.
pub(super) fn command_result(
    result: &RunResult,
    standing: ExitStatus,
    has_locations: bool,
) -> Result<ExitStatus, CommandError> {
    let ending = result.stop_reason.ending();
    let Some(exit) = ending.exit() else { return Ok(standing) };
    let text = match result.stop_reason.refusal() {
        Some((refusal, locations)) => refusal_text(result, locations, refusal.remedy(has_locations)),
        None if ending == Ending::Behind => {
            format!("{}; nobody was called{}. {}", result.explanation(), scope(result), ending.remedy())
        }
        None => result.explanation(),
    };
    Err(CommandError::RunStopped { exit, text })
}

fn refusal_text(result: &RunResult, locations: &[Location], fix: &str) -> String {
    let effect = if locations.is_empty() { "no further call was placed" } else { "their patients were not called" };
    let scope = if matches!(result.stop_reason, StopReason::CallerIdsRefused { .. }) { "" } else { scope(result) };
    format!("{}; {effect}{scope}: {fix}", result.explanation())
}

/// Restricts the effect to some organisations where their reasons differ: only then [`RunResult::explanation`] names
/// them.
fn scope(result: &RunResult) -> &'static str {
    if result.organisations_differ() { " for the organisations named" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{RefusedByVendor, RequestCounts};
    use crate::ids::OrganisationId;

    #[test]
    fn organisations_are_referred_to_only_if_the_explanation_names_them() {
        let refused = StopReason::Refused(RefusedByVendor::Credentials);
        let message = |reasons: [StopReason; 2]| {
            let stop_reasons = ["north", "south"].map(OrganisationId::new).into_iter().zip(reasons).collect();
            let result = RunResult { stop_reason: refused.clone(), stop_reasons, requests: RequestCounts::default() };
            command_result(&result, ExitStatus::DueWorkLeft, true).expect_err("refused").to_string()
        };
        let all = message([refused.clone(), refused.clone()]);
        assert!(all.contains("our credentials; no further call was placed: check"), "{all}");
        let one = message([refused.clone(), StopReason::Done]);
        assert!(one.starts_with("north: ") && one.contains("placed for the organisations named: check"), "{one}");
    }
}
