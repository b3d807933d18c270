//! What an answer means: for the attempt that it answers, and for a read.
//!
//! Pure functions of a status and a body. The rule behind them is one: an attempt counts as not placed only where that
//! is certain. A connection that never came about is; so is a refusal that the vendor documents (429 and other 4xx).
//! Everything else says nothing about the call: 2xx without a readable id, silence, a broken connection, 3xx, 5xx, and
//! the three 4xx that do not mean "refused" (408 Request Timeout, 409 Conflict, 425 Too Early).

use super::transport::{BodyFault, Fault};
use super::{CallRequest, Concern, LostAnswer, NotPlaced, Refused, Reply, Unread, quote, refusal, wire};

/// What an answer to `POST /calls`, which was `call`, means. The body of an answer that is not 2xx is looked at for its
/// wording only, so it may be missing.
#[must_use]
pub fn placed(status: u16, body: Result<&[u8], BodyFault>, call: &CallRequest) -> Reply {
    match status {
        200..300 => accepted(body),
        408 | 409 | 425 => Reply::Lost(LostAnswer::Status(status)),
        400..500 => Reply::NotPlaced(refused(status, body.unwrap_or_default(), call)),
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
        _ if body.as_ref().is_ok_and(|body| wire::is_web_page(body)) => Err(Unread::WebPage(status)),
        200..300 => body.map_err(|fault| match fault {
            BodyFault::TooLong => Unread::TooLong,
            BodyFault::Timeout | BodyFault::Broken => Unread::NoAnswer,
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

fn refused(status: u16, body: &[u8], call: &CallRequest) -> NotPlaced {
    let said = wire::said(body);
    let concern = refusal::concern(status, &said, call);
    match concern {
        Concern::Pace => NotPlaced::RateLimited,
        Concern::Destination
        | Concern::Content
        | Concern::Cap
        | Concern::OurNumber
        | Concern::Account
        | Concern::Credentials
        | Concern::Hours
        | Concern::Unknown => NotPlaced::Refused(Refused { status, concern, words: quote(&said.quoted(), call) }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::Content;
    use crate::ids::ConversationId;
    use crate::phone::E164;

    const ACCEPTED: &[u8] = br#"{"success":true,"data":{"conversationId":"c-1"}}"#;

    fn call() -> CallRequest {
        let number = |text| E164::parse(text).expect("a number");
        CallRequest { from: number("+13125550142"), to: number("+13125550187"), content: Content::default() }
    }

    fn placed(status: u16, body: Result<&[u8], BodyFault>) -> Reply {
        super::placed(status, body, &call())
    }

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

    /// One row a wording: the vendor's rules said in ways in which a server might say them. `tests/refusals.tsv` has many more.
    #[test]
    fn refusals_are_told_apart_by_their_words() {
        use Concern::{Account, Cap, Content, Credentials, Destination, Hours, OurNumber, Unknown};
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
            (403, "fromNumber is not allowed", OurNumber),
            (400, "from_number is not attached to a bot", OurNumber),
            (404, "From-number not found", OurNumber),
            (422, "The bot is not enabled for outbound", OurNumber),
            (422, "Bot 9b1deb4d-3b7d-4bad-97dd-30d7b3dcb6dc is not outbound", OurNumber),
            (403, "This number is not allowed to call", OurNumber),
            (401, "fromNumber does not belong to your organization", OurNumber),
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
        ] {
            let Reply::NotPlaced(NotPlaced::Refused(found)) = refused(status, message) else {
                panic!("not refused: {status} {message}")
            };
            assert_eq!((found.status, found.concern), (status, concern), "{message}");
        }
        for (status, message) in [(429, "fromNumber: too many requests"), (403, "API rate limit exceeded"), (429, "")] {
            assert_eq!(refused(status, message), Reply::NotPlaced(NotPlaced::RateLimited), "{status} {message}");
        }
    }

    /// Written by somebody who had not read how refusals are told apart.
    #[test]
    fn refusals_are_sorted_as_a_table_says_that_others_have_written() {
        let table = include_str!("../../tests/refusals.tsv");
        let (mut rows, mut wrong) = (0, Vec::new());
        for line in table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let [status, body, whom] = *line.split('\t').collect::<Vec<_>>() else { panic!("three columns: {line}") };
            rows += 1;
            let found = match placed(status.parse().expect("a status"), Ok(body.as_bytes())) {
                Reply::NotPlaced(NotPlaced::Refused(refused)) => refused.concern.name(),
                Reply::NotPlaced(NotPlaced::RateLimited) => "pace",
                other @ (Reply::Accepted(_) | Reply::Lost(_) | Reply::NotPlaced(_)) => panic!("{line}: {other:?}"),
            };
            if found != whom {
                wrong.push(format!("{found} for {line}"));
            }
        }
        assert!(rows >= 60, "{rows} rows");
        assert!(wrong.is_empty(), "{} of {rows}:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn a_read_brings_its_body_or_says_why_not() {
        assert_eq!(read(200, Ok(vec![1])), Ok(vec![1]));
        for (status, body, why) in [
            (200, Err(BodyFault::TooLong), Unread::TooLong),
            (200, Err(BodyFault::Broken), Unread::NoAnswer),
            (200, Err(BodyFault::Timeout), Unread::NoAnswer),
            (200, Ok(b" <!DOCTYPE html><title>Sign in".to_vec()), Unread::WebPage(200)),
            (403, Ok(b"<html>blocked".to_vec()), Unread::WebPage(403)),
            (503, Ok(b"\xef\xbb\xbf<html>maintenance".to_vec()), Unread::WebPage(503)),
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
