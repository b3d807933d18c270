//! A patient's other numbers, from the list to the simulator.

use crate::support::fixtures::{CONSENT, SIMULATOR};
use crate::support::harness::{Practice, recall};
use crate::support::oracle;
use crate::support::vendor::MORNING;

#[test]
fn a_wrong_number_leads_to_the_next_number_the_same_day_and_an_opt_out_does_not() {
    let campaign =
        recall(&format!("{CONSENT}{SIMULATOR}start = \"{MORNING}\"\nspeed = 600\npeople = \"people.toml\"\n"));
    let list = "patient_id,first_name,mobile,home,work\n\
                1,Ana,773-555-0110,773-555-0111,773-555-0112\n2,Bo,773-555-0120,773-555-0121,\n3,Li,773-555-0130,,\n";
    let practice = Practice::with(&campaign, list);
    let people = "\"+17735550110\" = [\"wrong-number\"]\n\"+17735550111\" = [\"invalid-number\"]\n\
                  \"+17735550112\" = [\"books\"]\n\"+17735550120\" = [\"opts-out\"]\n\"+17735550130\" = [\"wrong-number\"]\n";
    practice.write("campaigns/people.toml", people);
    let ended = practice.run(&["run", "campaigns/recall.toml", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let calls = oracle::embedded_calls(&practice);
    let of = |patient: &str| {
        let calls = calls.iter().filter(|call| call.patient_id.as_deref() == Some(patient));
        calls.map(|call| &call.to_number[8..]).collect::<Vec<_>>()
    };
    assert_eq!((of("1"), of("2"), of("3")), (vec!["0110", "0111", "0112"], vec!["0120"], vec!["0130"]));
    let summary = ended.summary();
    assert_eq!(summary["outcomes"], serde_json::json!({"booked": 1, "opt_out": 1, "wrong_number": 1}));
    let day = calls.iter().map(|call| call.at.date_naive()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(day.len(), 1, "all on one day: a number not called before needs no gap");
    let text = practice.run(&["explain", "1", "--ledger", "campaigns/callrounds.db"]).stdout;
    assert!(text.contains("conversation over: wrong number"), "{text}");
    assert!(text.contains("waiting: that was not the patient's number: the next one on the list is dialled"), "{text}");
}
