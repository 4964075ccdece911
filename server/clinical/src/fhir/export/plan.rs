//! Goals, to-dos, tasks, touchpoints, teach-backs, care team, referral, and the plan as a whole.

use super::body::{required, words};
use super::out::Obj;
use super::people::{absent, reference};
use super::row::{Fields, Made, coding};
use super::{Export, say};
use crate::field::{FieldName, ListName};
use crate::goal::Achievement;
use crate::record::{Goal, Held, Outline, Row, TaskRow, Todo};
use crate::task::TaskStatus;
use crate::teach_back::TeachBack;

impl Export<'_> {
    /// Goals. What a problem is, differs between the guides, so it is told which ids may be referred to.
    pub(super) fn goals(&self, conditions: &[uuid::Uuid]) -> Vec<Made> {
        self.record.goals.iter().map(|row| self.goal(row, conditions)).collect()
    }

    fn goal(&self, row: &Row<Goal>, conditions: &[uuid::Uuid]) -> Made {
        let mut fields = Fields::of(self, ListName::Goals, row);
        let Goal { text, target, owner, achievement, problems } = &row.content;
        fields.words(FieldName::GoalsText, "Goal", text);
        fields.plain(FieldName::GoalsTarget, "Target", target);
        fields.plain(FieldName::GoalsOwner, "Whose", owner);
        fields.plain(FieldName::GoalsAchievement, "How far", achievement);
        fields.plain(FieldName::GoalsProblems, "Problems", problems);
        let lifecycle = match (achievement.value(), self.source.signed) {
            (Some(Achievement::Achieved | Achievement::Sustaining), _) => "completed",
            (_, Some(_signed)) => "active",
            (_, None) => "proposed",
        };
        let progress = achievement.value().map(|achievement| {
            let (code, display) = match achievement {
                Achievement::InProgress => ("in-progress", "In Progress"),
                Achievement::Improving => ("improving", "Improving"),
                Achievement::Worsening => ("worsening", "Worsening"),
                Achievement::NoChange => ("no-change", "No Change"),
                Achievement::Achieved => ("achieved", "Achieved"),
                Achievement::Sustaining => ("sustaining", "Sustaining"),
                Achievement::NotAchieved => ("not-achieved", "Not Achieved"),
                Achievement::NotAttainable => ("not-attainable", "Not Attainable"),
            };
            let system = "http://terminology.hl7.org/CodeSystem/goal-achievement";
            Obj::new().with("coding", [coding(system, code, display)])
        });
        let description = if text.text.trim().is_empty() {
            Obj::new().with("extension", [absent("unknown")]).with("text", "Not written yet")
        } else {
            words(&text.text)
        };
        let target = target.value().map(|target| {
            vec![
                Obj::new()
                    .with("measure", words(&target.measure))
                    .with("detailString", target.value.as_str())
                    .with("dueDate", target.due.as_ref().map(|day| day.as_str())),
            ]
        });
        let addresses = problems.value().map(|problems| {
            let known = problems.0.iter().filter(|id| conditions.contains(&id.0));
            known.map(|id| reference(id.0)).collect::<Vec<_>>()
        });
        let resource = Obj::new()
            .with("lifecycleStatus", lifecycle)
            .with("achievementStatus", progress)
            .with("description", description)
            .with("subject", self.patient_ref())
            .with("target", target)
            .with("addresses", addresses)
            .with("note", fields.notes());
        fields.resource("Goal", row.id, resource)
    }

    /// What the patient should do.
    pub(super) fn todos(&self) -> Vec<Made> {
        let rows = self.record.todos.iter().filter(|row| self.goes(row.id));
        rows.map(|row| self.todo(row)).collect()
    }

    fn todo(&self, row: &Row<Todo>) -> Made {
        let mut fields = Fields::of(self, ListName::Todos, row);
        let Todo { talked_about, should_do, tick, confidence, barrier } = &row.content;
        fields.words(FieldName::TodosTalkedAbout, "What we talked about", talked_about);
        fields.register(FieldName::TodosShouldDo, "What I should do", should_do, |should_do| {
            format!("{} {}", should_do.text, should_do.when).trim().to_owned()
        });
        fields.plain(FieldName::TodosTick, "Done", tick);
        fields.plain(FieldName::TodosConfidence, "Confidence, 0 to 10", confidence);
        fields.words(FieldName::TodosBarrier, "What stands in the way", barrier);
        let done = tick.value() == Some(&true);
        let meds =
            should_do.value().map(|should_do| should_do.med_ids.as_slice()).unwrap_or_default();
        let med = meds.iter().find(|id| self.med_name(**id).is_some());
        let resource = Obj::new()
            .with("status", if done { "completed" } else { "requested" })
            .with("intent", "plan")
            .with("description", should_do.value().map(|should_do| should_do.text.as_str()))
            .with("focus", med.map(|id| reference(id.0)))
            .with("for", self.patient_ref())
            .with("owner", self.patient_ref())
            .with("note", fields.notes());
        fields.resource("Task", row.id, resource)
    }

    /// What members of the team are asked to do.
    pub(super) fn tasks(&self) -> Vec<Made> {
        self.record.tasks.iter().map(|row| self.task(row)).collect()
    }

    fn task(&self, row: &Row<TaskRow>) -> Made {
        let mut fields = Fields::of(self, ListName::Tasks, row);
        let TaskRow { content, status } = &row.content;
        fields.plain(FieldName::TasksContent, "Task", content);
        fields.plain(FieldName::TasksStatus, "Status", status);
        let code = match status.value() {
            Some(TaskStatus::Open) | None => "requested",
            Some(TaskStatus::Accepted) => "accepted",
            Some(TaskStatus::InProgress) => "in-progress",
            Some(TaskStatus::Done) => "completed",
            Some(TaskStatus::Declined) => "rejected",
            Some(TaskStatus::Cancelled) => "cancelled",
        };
        let task = content.value();
        let due = task.and_then(|task| task.due.as_ref());
        let period = Obj::new().with("end", due.map(|day| day.as_str()));
        let resource = Obj::new()
            .with("status", code)
            .with("intent", "order")
            .with("description", task.map(|task| task.title.as_str()))
            .with("for", self.patient_ref())
            .with("owner", task.map(|task| Obj::new().with("display", task.assignee.as_str())))
            .with("note", fields.notes())
            .with("restriction", Obj::new().with("period", period));
        fields.resource("Task", row.id, resource)
    }

    /// Messages the patient said back.
    pub(super) fn teach_backs(&self) -> Vec<Made> {
        let rows = self.record.teach_backs.iter().filter(|row| self.goes(row.id));
        rows.map(|row| self.teach_back(row)).collect()
    }

    fn teach_back(&self, row: &Row<Held<TeachBack>>) -> Made {
        let mut fields = Fields::of(self, ListName::TeachBacks, row);
        fields.plain(FieldName::TeachBacksContent, "Teach-back", &row.content);
        let result = row.content.value().map(|teach_back| say::value(&teach_back.result));
        let message = row
            .content
            .value()
            .map(|teach_back| vec![Obj::new().with("text", teach_back.message.as_str())]);
        let by = match &row.content {
            Held::Value(said) => said.by.person().and_then(|person| self.professional(person)),
            Held::Empty | Held::Conflict(_) => None,
        };
        let resource = Obj::new()
            .with(
                "meta",
                Obj::new().with(
                    "profile",
                    ["http://hl7.org/fhir/us/phcp/StructureDefinition/PhCP-Instruction-Procedure"],
                ),
            )
            .with("status", "completed")
            .with("code", words("Teach-back"))
            .with("subject", self.patient_ref())
            .with("performedDateTime", self.written(&row.content))
            .with("performer", by.map(|who| vec![Obj::new().with("actor", who)]))
            .with("outcome", result.map(|result| words(&result)))
            .with("note", message);
        fields.resource("Procedure", row.id, resource)
    }

    /// Who looks after the patient: one CareTeam a row, so that each keeps its history.
    pub(super) fn care_team(&self) -> Vec<Made> {
        let rows = self.record.care_team.iter();
        rows.map(|row| {
            let mut fields = Fields::of(self, ListName::CareTeam, row);
            fields.plain(FieldName::CareTeamContent, "Care team", &row.content);
            let member = row.content.value().map(|member| {
                let npi = member.npi.as_ref().map(|npi| {
                    Obj::new()
                        .with("system", "http://hl7.org/fhir/sid/us-npi")
                        .with("value", npi.as_str())
                });
                let who = Obj::new().with("identifier", npi).with("display", member.name.as_str());
                let role = (!member.role.trim().is_empty()).then(|| vec![words(&member.role)]);
                vec![Obj::new().with("role", role).with("member", who)]
            });
            let contact = |system: &'static str, value: &str| {
                (!value.trim().is_empty())
                    .then(|| Obj::new().with("system", system).with("value", value))
            };
            let telecom = row.content.value().map(|member| {
                let both = [contact("phone", &member.phone), contact("fax", &member.fax)];
                both.into_iter().flatten().collect::<Vec<_>>()
            });
            let resource = Obj::new()
                .with("status", "active")
                .with("subject", self.patient_ref())
                .with("participant", member)
                .with("telecom", telecom)
                .with("note", fields.notes());
            fields.resource("CareTeam", row.id, resource)
        })
        .collect()
    }

    /// Who asked for the pharmacist, and why.
    pub(super) fn referral(&self) -> Option<Made> {
        let (referral, identification) = (&self.record.referral, &self.record.identification);
        if matches!((referral, identification), (Held::Empty, Held::Empty)) {
            return None;
        }
        let mut fields = Fields::whole(self);
        fields.plain(FieldName::Referral, "Referred", referral);
        fields.plain(FieldName::Identification, "Why this patient", identification);
        let by = referral.value().filter(|referral| !referral.referrer.trim().is_empty());
        let criteria = identification.value().map(|identification| {
            let criteria = identification.criteria.iter().map(|one| words(&say::value(one)));
            let reason =
                (!identification.reason.trim().is_empty()).then(|| words(&identification.reason));
            criteria.chain(reason).collect::<Vec<_>>()
        });
        let resource = Obj::new()
            .with("status", "active")
            .with("intent", "order")
            .with("code", words("Comprehensive medication management"))
            .with("subject", self.patient_ref())
            .with(
                "requester",
                by.map(|referral| Obj::new().with("display", referral.referrer.as_str())),
            )
            .with("reasonCode", criteria)
            .with("note", fields.notes());
        Some(fields.made("ServiceRequest", self.id("referral"), resource))
    }

    /// The plan as a whole: its period, its goals, (for the Standardized Medication Profile) its issues, and its
    /// follow-ups, where they go along.
    pub(super) fn care_plan(&self, goals: &[Made], issues: &[Made], follow_ups: &[Made]) -> Made {
        let mut fields = Fields::whole(self);
        let Outline {
            summary,
            duration,
            interaction_frequency,
            adherence_process,
            education_notes,
            no_goal_reason,
            no_touchpoint_reason,
            follow_up,
            when_to_call,
        } = &self.record.outline;
        fields.words(FieldName::OutlineSummary, "Summary", summary);
        fields.plain(FieldName::OutlineDuration, "Duration", duration);
        fields.register(
            FieldName::OutlineInteractionFrequency,
            "How often",
            interaction_frequency,
            |line| line.0.clone(),
        );
        fields.words(
            FieldName::OutlineAdherenceProcess,
            "To make taking easier",
            adherence_process,
        );
        fields.words(FieldName::OutlineEducationNotes, "What was taught", education_notes);
        fields.register(
            FieldName::OutlineNoGoalReason,
            "No goal because",
            no_goal_reason,
            |line| line.0.clone(),
        );
        fields.register(
            FieldName::OutlineNoTouchpointReason,
            "No follow-up because",
            no_touchpoint_reason,
            |line| line.0.clone(),
        );
        fields.words(FieldName::OutlineFollowUp, "What happens next", follow_up);
        fields.plain(FieldName::OutlineWhenToCall, "When to call", when_to_call);
        fields.plain(FieldName::AllergyStatement, "Allergies", &self.record.allergy_statement);
        fields.plain(
            FieldName::ReviewedAllergies,
            "Allergies reviewed",
            &self.record.reviewed_allergies,
        );
        fields.plain(
            FieldName::ReviewedImmunizations,
            "Immunizations reviewed",
            &self.record.reviewed_immunizations,
        );
        fields.plain(FieldName::Share, "Shared with the patient", &self.record.share);
        fields.plain(FieldName::Signed, "Signed", &self.record.signed);
        fields.plain(FieldName::Revision, "Opened again", &self.record.revision);
        fields.plain(FieldName::Addenda, "Added later", &self.record.addenda);
        fields.plain(FieldName::Receipts, "Who has it", &self.record.receipts);
        let period = duration.value().map(|duration| {
            Obj::new()
                .with("start", duration.start.as_str())
                .with("end", duration.planned_end.as_str())
        });
        let mut notes = fields.notes();
        for text in [&follow_up.text, &adherence_process.text, &education_notes.text] {
            if !text.trim().is_empty() {
                notes.push(Obj::new().with("text", text.as_str()));
            }
        }
        let added = self.record.addenda.value().map(|addenda| addenda.0.as_slice());
        for addendum in added.unwrap_or_default() {
            let by = self.person(addendum.by);
            notes.push(
                Obj::new()
                    .with("authorReference", by)
                    .with("time", super::instant(addendum.at_ms))
                    .with("text", addendum.text.as_str()),
            );
        }
        let core = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category";
        let category = |coding: Obj| Obj::new().with("coding", [coding]);
        let profile = (!issues.is_empty()).then(|| {
            vec!["http://hl7.org/fhir/us/smp/StructureDefinition/smp-medication-action-plan"]
        });
        let resource = Obj::new()
            .with("meta", Obj::new().with("profile", profile))
            .with("status", if self.source.signed.is_some() { "active" } else { "draft" })
            .with("intent", "plan")
            .with(
                "category",
                [
                    category(coding(
                        "http://snomed.info/sct",
                        "736378000",
                        "Medication management plan (record artifact)",
                    )),
                    category(coding(core, "assess-plan", "Assessment and Plan of Treatment")),
                ],
            )
            .with("title", "Medication action plan")
            .with("description", summary.text.as_str())
            .with("subject", self.patient_ref())
            .with("period", period)
            .with("created", super::instant(self.source.now))
            .with("author", self.author())
            .with(
                "supportingInfo",
                issues.iter().map(|made| reference(made.id)).collect::<Vec<_>>(),
            )
            .with("goal", goals.iter().map(|made| reference(made.id)).collect::<Vec<_>>())
            .with(
                "activity",
                follow_ups
                    .iter()
                    .map(|made| Obj::new().with("reference", reference(made.id)))
                    .collect::<Vec<_>>(),
            )
            .with("note", notes);
        fields.made("CarePlan", self.id("care plan"), resource)
    }

    /// A concept of a value in whatever state.
    pub(super) fn said<T: serde::Serialize>(&self, held: &Held<T>, open: &[String]) -> Obj {
        required(held, open, |value| words(&say::value(value)))
    }
}
