//! What an answer means: for the attempt that it answers, and for a read.
//!
//! Pure functions of a status and a body. The rule behind them is one: an attempt counts as not placed only where that
//! is certain. A connection that never came about is; so is a refusal that the vendor documents (429 and other 4xx).
//! Everything else says nothing about the call: 2xx without a readable id, silence, a broken connection, 3xx, 5xx, and
//! the three 4xx that do not mean "refused" (408 Request Timeout, 409 Conflict, 425 Too Early).

use super::transport::{BodyFault, Fault};
use super::{LostAnswer, NotPlaced, Reply, Unread, wire};

/// What a refusal is about, as its words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// This call's texts.
    Content,
    /// How often we ask.
    Pace,
    /// The time of day.
    Hours,
    /// How often this number is called.
    Cap,
    /// The number to dial.
    Destination,
    /// The number that calls.
    Line,
}

/// The words by which refusals are told apart: the vendor documents its rules but not the codes of their refusals
/// (`annie-api.md`, POST /calls). The first row with a word in the message decides, so the order matters:
///
/// * "calls are limited to 9 AM to 8 PM" is about hours although it says "limit", and "24 hours between attempts" is a
///   cap although it says "hours": hours that are named come before caps, and plain "hours" after them.
/// * "outbound calls are allowed between 9 AM and 8 PM" is about hours although it says "outbound", and "`toNumber` is not
///   on the allow-list" about one patient although it may be a 403: the line comes last, since it stops everything.
///
/// Compared in lower case, with `_` and `-` as spaces and a space at either end.
const WORDING: &[(Subject, &[&str])] = &[
    (Subject::Content, &["character", "too long"]),
    (Subject::Pace, &["rate limit", "too many requests"]),
    (
        Subject::Hours,
        &[
            "legal hours",
            "business hours",
            "calling hours",
            "call hours",
            "quiet hours",
            "operating hours",
            "allowed hours",
            "permitted hours",
            "outside hours",
            "outside of hours",
            "9 am",
            "9am",
            "9:00 am",
            "8 pm",
            "8pm",
            "8:00 pm",
        ],
    ),
    (
        Subject::Cap,
        &[
            "24 hour",
            " 24h",
            "hours between",
            "attempt",
            "7 day",
            " 7d ",
            "30 day",
            " 30d ",
            "per week",
            "per month",
            "cool",
            "limit",
            " cap ",
            "too many",
            "maximum",
            "already called",
            "recently",
        ],
    ),
    (Subject::Hours, &["hours", "time of day", "time window"]),
    (
        Subject::Destination,
        &["tonumber", "to number", "destination", "recipient", "allow list", "allowlist", "whitelist", "sandbox"],
    ),
    (
        Subject::Line,
        &["fromnumber", "from number", "outbound", "caller id", "callerid", "not allowed to call", "not attached"],
    ),
];

/// What an answer to `POST /calls` means. The body of an answer that is not 2xx is looked at for its wording only, so it
/// may be missing.
#[must_use]
pub fn placed(status: u16, body: Result<&[u8], BodyFault>) -> Reply {
    match status {
        200..300 => accepted(body),
        408 | 409 | 425 => Reply::Lost(LostAnswer::Status(status)),
        400..500 => Reply::NotPlaced(refusal(status, &wire::message(body.unwrap_or_default()))),
        _ => Reply::Lost(LostAnswer::Status(status)),
    }
}

/// What it means for the attempt that no answer came.
#[must_use]
pub fn unanswered(fault: Fault) -> Reply {
    match fault {
        Fault::NeverConnected => Reply::NotPlaced(NotPlaced::NeverConnected),
        Fault::Timeout => Reply::Lost(LostAnswer::Timeout),
        Fault::Broken => Reply::Lost(LostAnswer::Broken),
    }
}

/// What an answer to a read brought: its body, or why there is none.
pub fn read(status: u16, body: Result<Vec<u8>, BodyFault>) -> Result<Vec<u8>, Unread> {
    match status {
        200..300 => body.map_err(|fault| match fault {
            BodyFault::TooLong => Unread::Unreadable,
            BodyFault::Timeout | BodyFault::Broken => Unread::Unreachable,
        }),
        401 | 403 => Err(Unread::Unauthorised(status)),
        429 => Err(Unread::RateLimited),
        _ => Err(Unread::Status(status)),
    }
}

fn accepted(body: Result<&[u8], BodyFault>) -> Reply {
    let lost = match body {
        Ok(body) => match wire::placed(body) {
            Ok(id) => return Reply::Accepted(id),
            Err(wire::Malformed) => LostAnswer::Unreadable,
        },
        Err(BodyFault::Timeout) => LostAnswer::Timeout,
        Err(BodyFault::Broken | BodyFault::TooLong) => LostAnswer::Unreadable,
    };
    Reply::Lost(lost)
}

/// Which refusal a 4xx is. The status decides where it can; then the wording.
fn refusal(status: u16, message: &str) -> NotPlaced {
    if status == 429 {
        return NotPlaced::RateLimited;
    }
    match subject(message) {
        Some(Subject::Line) => NotPlaced::LineRefused { status },
        Some(_) | None if status == 401 => NotPlaced::Unauthorised { status },
        Some(Subject::Hours) => NotPlaced::OutsideHours { status },
        Some(Subject::Cap) => NotPlaced::OverCap { status },
        Some(Subject::Pace) => NotPlaced::RateLimited,
        None if status == 403 => NotPlaced::Unauthorised { status },
        Some(Subject::Content | Subject::Destination) | None => NotPlaced::Refused { status },
    }
}

fn subject(message: &str) -> Option<Subject> {
    let message = format!(" {} ", message.to_lowercase().replace(['_', '-'], " "));
    let said = |words: &[&str]| words.iter().any(|word| message.contains(word));
    WORDING.iter().find(|(_, words)| said(words)).map(|(subject, _)| *subject)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ids::ConversationId;

    const ACCEPTED: &[u8] = br#"{"success":true,"data":{"conversationId":"c-1"}}"#;

    fn refused(status: u16, message: &str) -> Reply {
        placed(status, Ok(json!({ "success": false, "message": message }).to_string().as_bytes()))
    }

    #[test]
    fn any_2xx_with_an_id_is_accepted() {
        for status in [200, 201, 202] {
            assert_eq!(placed(status, Ok(ACCEPTED)), Reply::Accepted(ConversationId::new("c-1")));
        }
    }

    #[test]
    fn a_2xx_without_a_readable_id_says_nothing() {
        let unreadable = Reply::Lost(LostAnswer::Unreadable);
        for body in [&b""[..], b"{", b"<html>", br#"{"success":true,"data":{}}"#, &ACCEPTED[..30]] {
            assert_eq!(placed(200, Ok(body)), unreadable);
        }
        assert_eq!(placed(204, Ok(b"")), unreadable);
        assert_eq!(placed(200, Err(BodyFault::TooLong)), unreadable);
        assert_eq!(placed(200, Err(BodyFault::Broken)), unreadable);
        assert_eq!(placed(200, Err(BodyFault::Timeout)), Reply::Lost(LostAnswer::Timeout));
    }

    #[test]
    fn a_status_that_refuses_nothing_says_nothing_whatever_its_words() {
        for status in
            [100, 101, 300, 301, 302, 303, 307, 308, 408, 409, 425, 500, 501, 502, 503, 504, 520, 599, 600, 999]
        {
            assert_eq!(refused(status, "Outside legal hours"), Reply::Lost(LostAnswer::Status(status)), "{status}");
            assert_eq!(placed(status, Ok(ACCEPTED)), Reply::Lost(LostAnswer::Status(status)), "{status}");
        }
    }

    #[test]
    fn every_other_4xx_was_not_placed() {
        for status in (400..500).filter(|status| ![408, 409, 425].contains(status)) {
            for body in [Ok(&b"<html>"[..]), Ok(ACCEPTED), Err(BodyFault::Broken)] {
                assert!(matches!(placed(status, body), Reply::NotPlaced(_)), "{status}");
            }
        }
    }

    #[test]
    fn silence_counts_as_not_placed_only_if_nothing_was_sent() {
        assert_eq!(unanswered(Fault::NeverConnected), Reply::NotPlaced(NotPlaced::NeverConnected));
        assert_eq!(unanswered(Fault::Timeout), Reply::Lost(LostAnswer::Timeout));
        assert_eq!(unanswered(Fault::Broken), Reply::Lost(LostAnswer::Broken));
    }

    /// One row a wording: the vendor's rules said in ways in which a server might say them.
    #[test]
    fn refusals_are_told_apart_by_their_words() {
        let hours = |status| NotPlaced::OutsideHours { status };
        let cap = |status| NotPlaced::OverCap { status };
        let line = |status| NotPlaced::LineRefused { status };
        let plain = |status| NotPlaced::Refused { status };
        let credentials = |status| NotPlaced::Unauthorised { status };
        for (status, message, meant) in [
            (422, "Outside legal calling hours (9 AM-8 PM)", hours(422)),
            (403, "Outbound calls are only allowed between 9 AM and 8 PM", hours(403)),
            (400, "Call attempt outside business hours", hours(400)),
            (400, "Calls are limited to 9am-8pm in the organization's time zone", hours(400)),
            (400, "Not within permitted hours", hours(400)),
            (400, "This number cannot be called at these hours", hours(400)),
            (400, "At least 24 hours between attempts to the same number", cap(400)),
            (400, "Must wait 24-hour period before calling toNumber again", cap(400)),
            (403, "Maximum of 3 attempts per 7 days reached", cap(403)),
            (422, "6 calls per rolling 30 days exceeded", cap(422)),
            (422, "Number is in a 30-day cool-down", cap(422)),
            (422, "COOLDOWN_ACTIVE", cap(422)),
            (400, "Call limit for this destination reached", cap(400)),
            (400, "Weekly cap (3 per 7d) reached", cap(400)),
            (403, "fromNumber is not allowed", line(403)),
            (400, "from_number is not attached to a bot", line(400)),
            (404, "From-number not found", line(404)),
            (422, "The bot is not enabled for outbound", line(422)),
            (422, "Bot 9b1deb4d-3b7d-4bad-97dd-30d7b3dcb6dc is not outbound", line(422)),
            (403, "This number is not allowed to call", line(403)),
            (401, "fromNumber does not belong to your organization", line(401)),
            (403, "toNumber is not on the allow-list", plain(403)),
            (400, "toNumber must differ from fromNumber", plain(400)),
            (400, "fromNumber ok, context exceeds the 500 character limit", plain(400)),
            (400, "Bad Request", plain(400)),
            (404, "Cannot POST /v1/calls", plain(404)),
            (400, "", plain(400)),
            (401, "Unauthorized", credentials(401)),
            (401, "Session limit", credentials(401)),
            (403, "Forbidden", credentials(403)),
            (429, "fromNumber: too many requests", NotPlaced::RateLimited),
            (403, "API rate limit exceeded", NotPlaced::RateLimited),
        ] {
            assert_eq!(refused(status, message), Reply::NotPlaced(meant), "{status} {message}");
        }
    }

    #[test]
    fn a_read_brings_its_body_or_says_why_not() {
        assert_eq!(read(200, Ok(vec![1])), Ok(vec![1]));
        for (status, body, why) in [
            (200, Err(BodyFault::TooLong), Unread::Unreadable),
            (200, Err(BodyFault::Broken), Unread::Unreachable),
            (200, Err(BodyFault::Timeout), Unread::Unreachable),
            (401, Ok(vec![]), Unread::Unauthorised(401)),
            (403, Ok(vec![]), Unread::Unauthorised(403)),
            (404, Ok(vec![]), Unread::Status(404)),
            (429, Ok(vec![]), Unread::RateLimited),
            (302, Ok(vec![]), Unread::Status(302)),
            (500, Ok(vec![]), Unread::Status(500)),
        ] {
            assert_eq!(read(status, body), Err(why), "{status}");
        }
    }
}
