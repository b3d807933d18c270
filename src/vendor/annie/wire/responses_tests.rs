use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::vendor::Channel;

const ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn full() -> Value {
    json!({
        "conversationId": ID,
        "conversationTags": ["appointment_booked"],
        "orgId": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "medium": "VOICE",
        "toNumber": "+13125550143",
        "fromNumber": "+13125550142",
        "summary": "Booked a cleaning.",
        "actionsNeeded": ["confirm"],
        "topic": "Recall",
        "duration": 1500,
        "startTime": "2026-11-24T15:00:00Z",
        "endTime": "2026-11-24T15:02:00.500Z",
        "status": "CLOSED",
    })
}

fn listed(conversations: &Value) -> Vec<u8> {
    let pagination = json!({ "offset": 0, "limit": 100, "totalCount": 3 });
    bytes(&json!({ "success": true, "data": { "conversations": conversations, "pagination": pagination } }))
}

#[test]
fn a_uuid_is_the_same_in_capitals() {
    let mut row = full();
    row["conversationId"] = ID.to_uppercase().into();
    assert_eq!(page(&listed(&json!([row]))).expect("a page").conversations.remove(0).id, ConversationId::new(ID));
    row["conversationId"] = "Call-A1".into();
    assert_eq!(
        page(&listed(&json!([row]))).expect("a page").conversations.remove(0).id,
        ConversationId::new("Call-A1")
    );
}

#[test]
fn a_medium_is_the_vendors_word_in_capitals() {
    let medium = |value: Value| {
        let mut row = full();
        row["medium"] = value;
        page(&listed(&json!([row]))).expect("a page").conversations.remove(0).medium
    };
    for text in ["SMS", " chat "] {
        assert_eq!(medium(text.into()).named_channel(), Channel::Text, "{text}");
    }
    for (other, named) in [
        ("VOICE", Channel::Voice),
        ("outbound_call", Channel::Voice),
        ("Phone", Channel::Voice),
        ("EMAIL", Channel::Unknown),
    ] {
        let read = medium(other.into());
        assert_eq!((read.word(), read.named_channel()), (Some(&*other.to_uppercase()), named));
    }
    for nothing in [json!(null), json!(""), json!("  "), json!([])] {
        assert_eq!(medium(nothing.clone()), Medium::default(), "{nothing}");
    }
}

#[test]
fn a_placed_call_has_an_id() {
    for body in [
        json!({ "success": true, "data": { "conversationId": ID } }),
        json!({ "success": true, "data": { "conversationId": ID, "queue": 3 }, "message": null, "trace": {} }),
        json!({ "data": { "conversationId": ID } }),
        json!({ "success": "true", "data": { "conversationId": format!(" {ID}\n") } }),
    ] {
        assert_eq!(placed_conversation(&bytes(&body)), Ok(ConversationId::new(ID)), "{body}");
    }
}

#[test]
fn a_placed_call_without_a_usable_id_is_malformed() {
    for body in [
        json!({ "success": false, "data": { "conversationId": ID } }),
        json!({ "success": true, "data": {} }),
        json!({ "success": true, "data": { "conversationId": null } }),
        json!({ "success": true, "data": { "conversationId": "" } }),
        json!({ "success": true, "data": { "conversationId": ".." } }),
        json!({ "success": true, "data": { "conversationId": "a b" } }),
        json!({ "success": true, "data": { "conversationId": "a".repeat(129) } }),
        json!({ "success": true, "data": [ID] }),
        json!({ "success": true, "data": ID }),
        json!({ "success": true }),
        json!([true, { "conversationId": ID }]),
        json!(null),
    ] {
        assert_eq!(placed_conversation(&bytes(&body)), Err(MalformedBody), "{body}");
    }
    assert_eq!(placed_conversation(b"{\"success\":true,\"data\":{\"conversationId\":\"0f8f"), Err(MalformedBody));
    assert_eq!(placed_conversation(b"<html>Welcome to the hotel's network</html>"), Err(MalformedBody));
}

#[test]
fn a_full_conversation_is_read_in_full() {
    let page = page(&listed(&json!([full()]))).expect("a good page");
    let [read] = page.conversations.as_slice() else { panic!("one conversation") };
    assert_eq!(read.id, ConversationId::new(ID));
    assert_eq!(read.from, E164::parse("+13125550142").ok());
    assert_eq!(read.to, E164::parse("+13125550143").ok());
    assert_eq!(read.started, "2026-11-24T15:00:00Z".parse().ok());
    assert_eq!(read.ended, "2026-11-24T15:02:00.500Z".parse().ok());
    assert_eq!(read.status, Status::Closed);
    let expected = OutcomeSignals {
        tags: vec!["appointment_booked".to_owned()],
        topic: Some("Recall".to_owned()),
        summary: Some("Booked a cleaning.".to_owned()),
        actions: vec!["confirm".to_owned()],
        duration: Some(1500.0),
    };
    assert_eq!(read.signals, expected);
    assert_eq!((page.total, page.rows_without_id.len()), (Some(3), 0));
}

#[test]
fn no_single_field_can_break_a_conversation() {
    let values = [json!(null), json!(7), json!("?"), json!(true), json!([{}]), json!({ "a": 1 })];
    let names: Vec<String> = full().as_object().expect("an object").keys().cloned().collect();
    for name in names.iter().filter(|name| *name != "conversationId") {
        for value in &values {
            let mut changed = full();
            changed[name] = value.clone();
            let page = page(&listed(&json!([changed]))).expect("a good page");
            assert_eq!(page.conversations.len(), 1, "{name}: {value}");
        }
    }
    let bare = page(&listed(&json!([{ "conversationId": ID }]))).expect("a good page");
    assert_eq!(bare.conversations[0].status, Status::Other);
}

#[test]
fn one_bad_conversation_does_not_lose_the_page_and_is_counted() {
    let rows = json!([null, "?", {}, { "conversationId": "" }, [ID], full()]);
    let page = page(&listed(&rows)).expect("a good page");
    assert_eq!((page.conversations.len(), page.rows_without_id.len(), page.rows()), (1, 5, 6));
}

#[test]
fn a_page_whose_envelope_is_wrong_is_malformed() {
    for body in [
        json!({ "success": false, "data": { "conversations": [] } }),
        json!({ "success": true, "data": { "conversations": null } }),
        json!({ "success": true, "data": {} }),
        json!({ "success": true, "data": [] }),
        json!({ "success": true }),
        json!([]),
    ] {
        assert_eq!(page(&bytes(&body)), Err(MalformedBody), "{body}");
    }
}

#[test]
fn a_page_may_lack_its_pagination() {
    for pagination in [json!(null), json!("?"), json!({ "offset": null, "totalCount": "many" })] {
        let body = json!({ "success": true, "data": { "conversations": [], "pagination": pagination } });
        let page = page(&bytes(&body)).expect("a good page");
        assert_eq!(page.total, None);
    }
    let body = json!({ "data": { "conversations": [], "pagination": { "offset": "100", "totalCount": "7" } } });
    let page = page(&bytes(&body)).expect("a good page");
    assert_eq!(page.total, Some(7));
}

#[test]
fn statuses_are_words_in_any_case() {
    for (word, meant) in [
        (json!("OPEN"), Status::Open),
        (json!("open"), Status::Open),
        (json!("CLOSING"), Status::Closing),
        (json!("CLOSED"), Status::Closed),
        (json!("ESCALATED"), Status::Other),
        (json!(null), Status::Other),
    ] {
        let body = json!({ "success": true, "data": { "conversationId": ID, "status": word } });
        let read = conversation(&bytes(&body), &ConversationId::new(ID)).expect("a conversation");
        assert_eq!(read.status, meant, "{word}");
    }
}

#[test]
fn a_conversation_is_the_requested_one() {
    let requested = ConversationId::new(ID);
    let answer = |data: Value| conversation(&bytes(&json!({ "success": true, "data": data })), &requested);
    assert_eq!(answer(json!({})).map(|read| read.id), Ok(requested.clone()));
    assert_eq!(answer(json!({ "conversationId": ID.to_uppercase() })).map(|read| read.id), Ok(requested.clone()));
    assert_eq!(answer(json!({ "conversationId": "another" })), Err(MalformedBody));
    assert_eq!(answer(json!(null)), Err(MalformedBody));
}

#[test]
fn the_list_of_numbers_says_whether_a_caller_id_may_call_or_nothing() {
    let from = E164::parse("+13125550142").expect("a good number");
    let ours = |outbound: Value| json!({ "number": "+13125550142", "outbound": outbound });
    let other = json!({ "number": "+13125550100", "outbound": true });
    for (data, expected) in [
        (json!({ "phoneNumbers": [other, ours(json!(true))] }), Some(true)),
        (json!({ "phoneNumbers": [ours(json!(false))] }), Some(false)),
        (json!({ "phoneNumbers": [ours(json!(null))] }), None),
        (json!({ "phoneNumbers": [other] }), Some(false)),
        (json!({ "phoneNumbers": [] }), None),
        (json!({ "phoneNumbers": [other, {}] }), None),
        (json!({ "phoneNumbers": [other], "pagination": { "totalCount": 2 } }), None),
        (json!([ours(json!(true))]), Some(true)),
        (json!({ "numbers": [] }), None),
        (json!(null), None),
    ] {
        let body = json!({ "success": true, "data": data });
        assert_eq!(may_call_from(&bytes(&body), from), Ok(expected), "{body}");
    }
    assert_eq!(may_call_from(b"?", from), Err(MalformedBody));
}

#[test]
fn a_token_may_lack_its_lifetime() {
    let read = |body: Value| token(&bytes(&body));
    let good =
        read(json!({ "access_token": "t0ken", "token_type": "Bearer", "expires_in": "86400" })).expect("a token");
    assert_eq!((good.secret.expose_secret(), good.expires_in), ("t0ken", Some(86_400)));
    assert!(!format!("{good:?}").contains("t0ken"));
    assert_eq!(read(json!({ "access_token": "t0ken" })).expect("a token").expires_in, None);
    assert!(read(json!({ "expires_in": 86_400 })).is_err());
}

#[test]
fn a_message_is_found_in_error_bodies_of_any_shape() {
    for (body, searched, quoted) in [
        (json!({ "success": false, "message": "Outside legal hours" }), "Outside legal hours", "Outside legal hours"),
        (json!({ "message": ["one", "two"] }), "one / two", "one · two"),
        (json!({ "error": { "code": "C-1", "message": "deep" } }), "C-1 / deep", "C-1 · deep"),
        (json!({ "code": 21211, "message": "no" }), "21211 / no", "no"),
        (json!({ "errors": [{ "detail": "deeper", "field": "to" }] }), "toNumber / deeper", "deeper"),
        (json!({ "errors": { "from": ["is wrong"] } }), "fromNumber / is wrong", "is wrong"),
        (json!("bare"), "bare", "bare"),
        (json!({ "message": null, "context": "never looked at", "request": { "toNumber": "nor this" } }), "", ""),
        (json!({ "message": "see https://example.com/errors/toNumber", "requestId": "r-1" }), "", ""),
    ] {
        let found = parse_error_body(&bytes(&body));
        assert_eq!((&*found.searched(), &*found.quoted()), (searched, quoted), "{body}");
    }
    assert_eq!(parse_error_body(b" plain words\n").quoted(), "plain words");
    for page in [&b"<html>"[..], b"\n<!DOCTYPE html><html><body>toNumber", b"\xef\xbb\xbf<center>nginx"] {
        assert!(is_web_page(page));
        assert_eq!(parse_error_body(page), ErrorBody::default());
    }
}

proptest::proptest! {
    #[test]
    fn no_response_makes_a_reader_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..128)) {
        let id = ConversationId::new(ID);
        let _ = (placed_conversation(&body).is_ok(), page(&body).is_ok(), conversation(&body, &id).is_ok(), token(&body).is_ok());
        let _ = parse_error_body(&body);
    }
}

#[test]
fn a_transcript_is_read_by_time_and_no_row_of_it_is_lost() {
    let message =
        |role: &str, content: &str, at: &str| json!({ "id": "m", "role": role, "content": content, "createdAt": at });
    let late = message("user", "Yes.", "2026-11-24T15:00:11Z");
    let early = message("assistant", "Hello.", "2026-11-24T15:00:04Z");
    let read = |data: &Value| messages(&bytes(&json!({ "success": true, "data": data })));
    let texts = |data: &Value| {
        let found = read(data).expect("messages");
        found.into_iter().map(|message| message.text.unwrap_or_else(|| "-".into())).collect::<Vec<_>>()
    };
    assert_eq!(texts(&json!([late, early])), ["Hello.", "Yes."]);
    assert_eq!(texts(&json!({ "messages": [late, early] })), ["Hello.", "Yes."]);
    // Without all times the vendor's order stays, and what is no message is still shown to be there.
    assert_eq!(texts(&json!([late, { "role": "user" }, 7, early])), ["Yes.", "-", "-", "Hello."]);
    assert_eq!(texts(&json!([])), Vec::<String>::new());
    assert!(read(&json!({ "conversations": [] })).is_err() && read(&Value::Null).is_err());
    assert_eq!(format!("{:?}", read(&json!([late])).expect("messages")), "[TranscriptMessage(masked)]");
}
