//! The whole record as a collection: what a patient may ask for (45 CFR §164.524), and what another system can take over.

use super::body::entries;
use super::out::Obj;
use super::people::own_identifier;
use super::row::Made;
use super::{Export, instant};

pub(super) fn bundle(export: &Export<'_>) -> Obj {
    let medications = export.medications();
    let list = export.medication_list(&medications);
    let issues: Vec<Made> = export.problems().map(|row| export.detected_issue(row)).collect();
    let goals = export.goals(&[]);
    let follow_ups = export.touchpoints();
    let mut made = vec![export.patient(), export.care_plan(&goals, &issues, &follow_ups), list];
    made.extend(medications);
    made.extend(export.allergies());
    made.extend(export.immunizations());
    made.extend(export.conditions());
    made.extend(export.measures());
    made.extend(export.home_readings());
    made.extend(issues);
    made.extend(export.recommendations().map(|row| export.communication(row)));
    made.extend(goals);
    made.extend(export.todos());
    made.extend(follow_ups);
    made.extend(export.teach_backs());
    made.extend(export.care_team());
    made.extend(export.referral());
    made.extend(export.messages());
    made.extend(export.consents());
    made.extend(export.access());
    made.extend(export.own_words());
    made.extend(export.tasks());
    made.extend(export.team_notes());
    let history: Vec<Made> = made.iter().flat_map(|made| made.provenance(export)).collect();
    made.extend(export.people());
    made.push(export.practice());
    made.extend(history);
    let id = export.document();
    Obj::resource("Bundle")
        .with("id", id.to_string())
        .with("meta", export.meta(None))
        .with("identifier", own_identifier(id))
        .with("type", "collection")
        .with("timestamp", instant(export.source.now))
        .with("entry", entries(made))
}
