//! How a run ended: its exit code, and the error or advice for the operator.

use crate::engine::{RefusedByVendor, RunResult, StopReason};
use crate::error::{CommandError, ExitStatus};

/// The warning for a ledger with calls whose high-water mark is missing. What creates a new one follows it.
pub(super) const NO_HIGH_WATER_MARK: &str = "the high-water mark next to the ledger is missing, so only the vendor's list can \
                                             show whether this ledger is an older copy";

/// The advice for a ledger that lacks calls.
const STALE_LEDGER: &str = "Restore the newest copy of the ledger; or, to continue with this one, run `callrounds ledger adopt` \
                            and then the campaign again, which takes over those calls";

/// The exit code: a vendor refusal or a stale ledger decides it first, otherwise `standing`, which the states of the
/// entries determine.
pub(super) fn exit_status(reason: &StopReason, standing: ExitStatus) -> ExitStatus {
    match reason {
        StopReason::Refused(_) | StopReason::CallerIdsRefused { .. } | StopReason::RefusedInARow { .. } => {
            ExitStatus::VendorRefused
        }
        StopReason::Behind { .. } => ExitStatus::Ledger,
        StopReason::ListProvesNothing { .. } => ExitStatus::ListProvesNothing,
        StopReason::Done
        | StopReason::WindowClosed { .. }
        | StopReason::MaxCalls { .. }
        | StopReason::Interrupted
        | StopReason::Paused { .. }
        | StopReason::StopRule { .. }
        | StopReason::Unreachable
        | StopReason::Exclusions { .. }
        | StopReason::Clock { .. } => standing,
    }
}

/// The command's result: the exit status, or an error with the reason and a fix if the vendor refused the calls or the
/// ledger lacks calls.
pub(super) fn command_result(
    result: &RunResult,
    standing: ExitStatus,
    has_locations: bool,
) -> Result<ExitStatus, CommandError> {
    match &result.stop_reason {
        StopReason::CallerIdsRefused { .. } => {
            let fix = advice(RefusedByVendor::CallerId, true);
            Err(CommandError::VendorRefused(format!("{}; their patients were not called: {fix}", result.explanation())))
        }
        StopReason::RefusedInARow { refusal, locations, .. } => {
            let (fix, scope) = (advice(*refusal, has_locations), scope(result));
            let effect =
                if locations.is_empty() { "no further call was placed" } else { "their patients were not called" };
            Err(CommandError::VendorRefused(format!("{}; {effect}{scope}: {fix}", result.explanation())))
        }
        StopReason::Refused(refusal) => {
            let (fix, scope) = (advice(*refusal, has_locations), scope(result));
            Err(CommandError::VendorRefused(format!(
                "{}; no further call was placed{scope}: {fix}",
                result.explanation()
            )))
        }
        StopReason::Behind { .. } => Err(CommandError::StaleLedger(format!(
            "{}; nobody was called{}. {STALE_LEDGER}",
            result.explanation(),
            scope(result)
        ))),
        StopReason::ListProvesNothing { .. } => Err(CommandError::ListProvesNothing(result.explanation())),
        StopReason::Done
        | StopReason::WindowClosed { .. }
        | StopReason::MaxCalls { .. }
        | StopReason::Interrupted
        | StopReason::Paused { .. }
        | StopReason::StopRule { .. }
        | StopReason::Unreachable
        | StopReason::Exclusions { .. }
        | StopReason::Clock { .. } => Ok(exit_status(&result.stop_reason, standing)),
    }
}

/// Restricts the effect to some organisations where their reasons differ: only then [`RunResult::explanation`] names them.
fn scope(result: &RunResult) -> &'static str {
    let differs = result.stop_reasons.iter().any(|(_, reason)| *reason != result.stop_reason);
    if differs { " for the organisations named" } else { "" }
}

/// What the operator can do about a refusal.
pub(super) fn advice(refusal: RefusedByVendor, has_locations: bool) -> &'static str {
    match refusal {
        RefusedByVendor::Credentials if has_locations => {
            "check the organisation's ANNIE_API_KEY, ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET, which end in its name \
             (docs/locations.md), or the key_file of its [[line]], then run again"
        }
        RefusedByVendor::Credentials => {
            "check ANNIE_API_KEY, ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET, or the campaign's key file, then run again"
        }
        RefusedByVendor::CallerId if has_locations => {
            "attach the from_number of their [[line]] to an outbound bot in Annie, or name one that is attached, then run again"
        }
        RefusedByVendor::CallerId => {
            "attach [practice] from_number to an outbound bot in Annie, or name one that is attached, then run again"
        }
        RefusedByVendor::Address => "check ANNIE_BASE_URL, then run again",
        RefusedByVendor::Account => "resolve it with Annie, then run again: the next run calls the refused patients",
        RefusedByVendor::Unexplained => {
            "`callrounds explain PATIENT` for a refused patient quotes the refusal; the next run calls the refused patients"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::RequestCounts;
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
