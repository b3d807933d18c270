//! What a response means: for the attempt of a `POST /calls`, and for a read.
//!
//! Pure functions of a status and a body, with one rule: an attempt counts as not placed only where that is certain. It
//! is certain if the connection was never established, and if the vendor refused the call (429 and other 4xx).
//! Everything else is a lost answer: 2xx without a readable id, a timeout, a broken connection, 3xx, 5xx, and the three
//! 4xx that do not mean "refused" (408 Request Timeout, 409 Conflict, 425 Too Early).

use super::{refusal, wire};
use crate::vendor::http::quote::quote;
use crate::vendor::http::transport::{BodyError, TransportError};
use crate::vendor::{CallRequest, Concern, LostAnswer, NotPlaced, ReadError, Refused, Reply};

/// What a response to the `POST /calls` for `call` means. The body of a response that is not 2xx only refines the
/// reason, so it may be missing.
#[must_use]
pub fn from_response(status: u16, body: Result<&[u8], BodyError>, call: &CallRequest) -> Reply {
    match status {
        200..300 => accepted(body),
        408 | 409 | 425 => Reply::Lost(LostAnswer::Status(status)),
        400..500 => Reply::NotPlaced(refused(status, body.unwrap_or_default(), call)),
        _ => Reply::Lost(LostAnswer::Status(status)),
    }
}

/// What a missing response means for the attempt.
#[must_use]
pub fn from_transport_error(error: TransportError) -> Reply {
    match error {
        TransportError::NeverConnected => Reply::NotPlaced(NotPlaced::NeverConnected),
        TransportError::Timeout => Reply::Lost(LostAnswer::Timeout),
        TransportError::Broken => Reply::Lost(LostAnswer::Broken),
    }
}

/// What a response to a read means: its body, or why there is none.
pub fn read_result(status: u16, body: Result<Vec<u8>, BodyError>) -> Result<Vec<u8>, ReadError> {
    match status {
        _ if body.as_ref().is_ok_and(|body| wire::is_web_page(body)) => Err(ReadError::WebPage(status)),
        200..300 => body.map_err(|error| match error {
            BodyError::TooLong => ReadError::TooLong,
            BodyError::Timeout | BodyError::Broken => ReadError::NoAnswer,
        }),
        401 | 403 => Err(ReadError::Unauthorised(status)),
        429 => Err(ReadError::RateLimited),
        _ => Err(ReadError::Status(status)),
    }
}

fn accepted(body: Result<&[u8], BodyError>) -> Reply {
    let lost = match body {
        Ok(body) => match wire::placed_conversation(body) {
            Ok(id) => return Reply::Accepted(id),
            Err(wire::MalformedBody) => LostAnswer::Unreadable,
        },
        Err(BodyError::Timeout) => LostAnswer::Timeout,
        Err(BodyError::Broken | BodyError::TooLong) => LostAnswer::Unreadable,
    };
    Reply::Lost(lost)
}

fn refused(status: u16, body: &[u8], call: &CallRequest) -> NotPlaced {
    let error = wire::parse_error_body(body);
    let concern = refusal::concern(status, &error, call);
    match concern {
        Concern::RateLimit => NotPlaced::RateLimited,
        Concern::Destination
        | Concern::Content
        | Concern::Cap
        | Concern::CallerId
        | Concern::Account
        | Concern::Credentials
        | Concern::Hours
        | Concern::ConcurrentCalls
        | Concern::Unknown => NotPlaced::Refused(Refused { status, concern, message: quote(&error.quoted(), call) }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::CallContent;
    use crate::ids::ConversationId;
    use crate::phone::E164;

    const ACCEPTED: &[u8] = br#"{"success":true,"data":{"conversationId":"c-1"}}"#;

    fn call() -> CallRequest {
        let number = |text| E164::parse(text).expect("a number");
        CallRequest { from: number("+13125550142"), to: number("+13125550187"), content: CallContent::default() }
    }

    fn reply(status: u16, body: Result<&[u8], BodyError>) -> Reply {
        super::from_response(status, body, &call())
    }

    fn refused(status: u16, message: &str) -> Reply {
        reply(status, Ok(json!({ "success": false, "message": message }).to_string().as_bytes()))
    }

    #[test]
    fn any_2xx_with_an_id_is_accepted() {
        for status in [200, 201, 202] {
            assert_eq!(reply(status, Ok(ACCEPTED)), Reply::Accepted(ConversationId::new("c-1")));
        }
    }

    #[test]
    fn a_2xx_without_a_readable_id_is_a_lost_answer() {
        let unreadable = Reply::Lost(LostAnswer::Unreadable);
        for body in [&b""[..], b"{", b"<html>", br#"{"success":true,"data":{}}"#, &ACCEPTED[..30]] {
            assert_eq!(reply(200, Ok(body)), unreadable);
        }
        assert_eq!(reply(204, Ok(b"")), unreadable);
        assert_eq!(reply(200, Err(BodyError::TooLong)), unreadable);
        assert_eq!(reply(200, Err(BodyError::Broken)), unreadable);
        assert_eq!(reply(200, Err(BodyError::Timeout)), Reply::Lost(LostAnswer::Timeout));
    }

    #[test]
    fn a_status_that_is_no_refusal_is_a_lost_answer_whatever_its_message() {
        for status in
            [100, 101, 300, 301, 302, 303, 307, 308, 408, 409, 425, 500, 501, 502, 503, 504, 520, 599, 600, 999]
        {
            assert_eq!(refused(status, "Outside legal hours"), Reply::Lost(LostAnswer::Status(status)), "{status}");
            assert_eq!(reply(status, Ok(ACCEPTED)), Reply::Lost(LostAnswer::Status(status)), "{status}");
        }
    }

    #[test]
    fn every_other_4xx_was_not_placed() {
        for status in (400..500).filter(|status| ![408, 409, 425].contains(status)) {
            for body in [Ok(&b"<html>"[..]), Ok(ACCEPTED), Err(BodyError::Broken)] {
                assert!(matches!(reply(status, body), Reply::NotPlaced(_)), "{status}");
            }
        }
    }

    #[test]
    fn no_response_counts_as_not_placed_only_if_nothing_was_sent() {
        assert_eq!(from_transport_error(TransportError::NeverConnected), Reply::NotPlaced(NotPlaced::NeverConnected));
        assert_eq!(from_transport_error(TransportError::Timeout), Reply::Lost(LostAnswer::Timeout));
        assert_eq!(from_transport_error(TransportError::Broken), Reply::Lost(LostAnswer::Broken));
    }

    /// The vendor's rules in wordings that a server might use. `tests/refusals.tsv` has many more.
    #[test]
    fn refusals_are_classified_by_their_wording() {
        use Concern::{Account, CallerId, Cap, ConcurrentCalls, Content, Credentials, Destination, Hours, Unknown};
        for (status, message, concern) in [
            (422, "Outside legal calling hours (9 AM-8 PM)", Hours),
            (403, "Outbound calls are only allowed between 9 AM and 8 PM", Hours),
            (400, "Call attempt outside business hours", Hours),
            (400, "Calls are limited to 9am-8pm in the organization's time zone", Hours),
            (400, "Not within permitted hours", Hours),
            (400, "This number cannot be called at these hours", Hours),
            (400, "At least 24 hours between attempts to the same number", Cap),
            (400, "Must wait 24-hour period before calling toNumber again", Cap),
            (403, "Maximum of 3 attempts per 7 days reached", Cap),
            (422, "6 calls per rolling 30 days exceeded", Cap),
            (422, "Number is in a 30-day cool-down", Cap),
            (422, "COOLDOWN_ACTIVE", Cap),
            (400, "Call limit for this destination reached", Cap),
            (400, "Weekly cap (3 per 7d) reached", Cap),
            (403, "fromNumber is not allowed", CallerId),
            (400, "from_number is not attached to a bot", CallerId),
            (404, "From-number not found", CallerId),
            (422, "The bot is not enabled for outbound", CallerId),
            (422, "Bot 9b1deb4d-3b7d-4bad-97dd-30d7b3dcb6dc is not outbound", CallerId),
            (403, "This number is not allowed to call", CallerId),
            (401, "fromNumber does not belong to your organization", CallerId),
            (403, "toNumber is not on the allow-list", Destination),
            (400, "toNumber must differ from fromNumber", Destination),
            (400, "fromNumber ok, context exceeds the 500 character limit", Content),
            (402, "", Account),
            (400, "Bad Request", Unknown),
            (404, "Cannot POST /v1/calls", Unknown),
            (400, "", Unknown),
            (401, "Unauthorized", Credentials),
            (401, "Session limit", Credentials),
            (403, "Forbidden", Unknown),
            (429, "Too many concurrent calls", ConcurrentCalls),
            (403, "The organization has reached its limit of concurrent calls", ConcurrentCalls),
            (400, "maxActiveCalls: you have 10 active calls", ConcurrentCalls),
        ] {
            let Reply::NotPlaced(NotPlaced::Refused(found)) = refused(status, message) else {
                panic!("not refused: {status} {message}")
            };
            assert_eq!((found.status, found.concern), (status, concern), "{message}");
        }
        for (status, message) in [
            (429, "fromNumber: too many requests"),
            (403, "API rate limit exceeded"),
            (429, ""),
            (429, "too many concurrent requests"),
        ] {
            assert_eq!(refused(status, message), Reply::NotPlaced(NotPlaced::RateLimited), "{status} {message}");
        }
    }

    /// The table's word for a concern.
    fn word(concern: Concern) -> &'static str {
        match concern {
            Concern::Destination => "destination",
            Concern::Content => "content",
            Concern::Cap => "cap",
            Concern::CallerId => "number",
            Concern::Account => "account",
            Concern::Credentials => "credentials",
            Concern::Hours => "hours",
            Concern::RateLimit => "pace",
            Concern::ConcurrentCalls => "concurrent",
            Concern::Unknown => "unknown",
        }
    }

    /// The table was written independently of the classifier.
    #[test]
    fn refusals_are_classified_as_in_an_independent_table() {
        let table = include_str!("../../../tests/refusals.tsv");
        let (mut rows, mut wrong) = (0, Vec::new());
        for line in table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let [status, body, expected] = *line.split('\t').collect::<Vec<_>>() else {
                panic!("three columns: {line}")
            };
            rows += 1;
            let found = match reply(status.parse().expect("a status"), Ok(body.as_bytes())) {
                Reply::NotPlaced(NotPlaced::Refused(refused)) => word(refused.concern),
                Reply::NotPlaced(NotPlaced::RateLimited) => "pace",
                other @ (Reply::Accepted(_) | Reply::Lost(_) | Reply::NotPlaced(_)) => panic!("{line}: {other:?}"),
            };
            if found != expected {
                wrong.push(format!("{found} for {line}"));
            }
        }
        assert!(rows >= 60, "{rows} rows");
        assert!(wrong.is_empty(), "{} of {rows}:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn a_read_has_a_body_or_a_reason() {
        assert_eq!(read_result(200, Ok(vec![1])), Ok(vec![1]));
        for (status, body, why) in [
            (200, Err(BodyError::TooLong), ReadError::TooLong),
            (200, Err(BodyError::Broken), ReadError::NoAnswer),
            (200, Err(BodyError::Timeout), ReadError::NoAnswer),
            (200, Ok(b" <!DOCTYPE html><title>Sign in".to_vec()), ReadError::WebPage(200)),
            (403, Ok(b"<html>blocked".to_vec()), ReadError::WebPage(403)),
            (503, Ok(b"\xef\xbb\xbf<html>maintenance".to_vec()), ReadError::WebPage(503)),
            (401, Ok(vec![]), ReadError::Unauthorised(401)),
            (403, Ok(vec![]), ReadError::Unauthorised(403)),
            (404, Ok(vec![]), ReadError::Status(404)),
            (429, Ok(vec![]), ReadError::RateLimited),
            (302, Ok(vec![]), ReadError::Status(302)),
            (500, Ok(vec![]), ReadError::Status(500)),
        ] {
            assert_eq!(read_result(status, body), Err(why), "{status}");
        }
    }
}
