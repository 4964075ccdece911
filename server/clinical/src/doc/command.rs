//! What becomes of a command. The first one wins; there are no conflicts about decisions.

use crate::actor::{Actor, Millis};
use crate::change::{DecisionKind, FieldSet, What};
use crate::command::{Command, CommandError};
use crate::field::{Address, DocKind, FieldName};
use crate::receipt::Reception;
use crate::recommendation::{ByLink, Decision};
use crate::value::Value;

use super::Doc;

impl Doc {
    pub(super) fn decide_command(
        &self,
        now: Millis,
        by: &Actor,
        command: &Command,
        seen: u64,
        by_link: Option<&ByLink>,
    ) -> Result<What, CommandError> {
        match command {
            Command::Share => self.share(),
            Command::Addend { text } => self.addend(now, by, text.expose()),
            Command::Acknowledge { version } => {
                self.receive(now, by, *version, Reception::Acknowledged)
            }
            Command::AnswerPlan { version, questions } => {
                let text = questions.as_ref().map(|text| text.expose().clone());
                let what = text.map_or(Reception::Agreed, |text| Reception::HasQuestions { text });
                self.receive(now, by, *version, what)
            }
            Command::HandOn { version, to, name, how } => {
                let name = name.as_ref().map(|name| name.expose().clone());
                let what = Reception::HandedOn { to: *to, name, how: *how };
                self.receive(now, by, *version, what)
            }
            Command::Revise { reason } => self.revise(reason.expose()),
            Command::SendRecommendation { row } => self.send_recommendation(now, by, *row, seen),
            Command::MarkSeen { row } => self.mark_seen(now, by, *row),
            Command::WithdrawRecommendation { row, reason } => {
                self.withdraw(now, by, *row, reason.expose(), seen)
            }
            Command::Implemented { row, note } => {
                self.implemented(now, by, *row, note.expose(), seen)
            }
            // It needs the agreement, which no document holds: [`Doc::act_under_agreement`].
            Command::ActUnderAgreement { .. } => Err(CommandError::NotReady),
            Command::Verified { row, note } => self.verified(now, by, *row, note.expose(), seen),
            Command::Decide { row, outcome, regimen, reason, note, list } => {
                let decision = Decision {
                    by: by.person,
                    outcome: *outcome,
                    regimen: regimen.as_ref().map(|regimen| regimen.expose().clone()),
                    reason: *reason,
                    note: note.expose().clone(),
                    by_link: by_link.cloned(),
                };
                let list = list.as_deref().map(crate::phi::Phi::expose);
                self.decide_recommendation(now, by, *row, &decision, list, seen)
            }
        }
    }

    fn share(&self) -> Result<What, CommandError> {
        if self.kind != DocKind::Plan {
            return Err(CommandError::UnknownRow);
        }
        if self.shared() {
            return Err(CommandError::AlreadyDecided);
        }
        let at = Address { row: None, field: FieldName::Share };
        let sets = vec![FieldSet { at, value: Some(Value::trusted(&true)) }];
        Ok(What::decided(DecisionKind::Shared, sets))
    }
}
