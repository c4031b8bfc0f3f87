//! `concord trace`: where a message went.

use super::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{Page, StoryView};

/// Tell the whole story of a message, or of all messages of an address
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A queue id, a Message-ID, or the address of a sender or recipient
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    about: String,
    /// At most so many messages, the newest
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let limit = self.limit.to_string();
        let query = [("about", self.about.as_str()), ("limit", &limit)];
        let page: Page<StoryView> = context.block_on(admin.get("/v1/trace", &query))?;
        if page.items.is_empty() {
            return Err(Failure::new(
                "trace.unknown",
                format!(
                    "cannot tell of '{}': no message of it came here, or its story was \
                     forgotten with age; check the spelling, or try the sender's or a \
                     recipient's address",
                    self.about
                ),
            ));
        }
        if context.json {
            print::json(&page.items);
            return Ok(());
        }
        for (number, story) in page.items.iter().enumerate() {
            if number > 0 {
                print::line("");
            }
            tell(story);
        }
        Ok(())
    }
}

fn tell(story: &StoryView) {
    let sender = if story.sender.is_empty() { "<>" } else { story.sender.as_str() };
    print::line(format!(
        "{}  from {}  {}",
        story.queue_id,
        show::said(sender),
        show::size(story.octets)
    ));
    if !story.subject.is_empty() {
        print::line(format!("  Subject: {}", show::said(&story.subject)));
    }
    if !story.message_id.is_empty() {
        print::line(format!("  Message-ID: <{}>", show::said(&story.message_id)));
    }
    let rows: Vec<Vec<String>> = story
        .events
        .iter()
        .map(|event| {
            let recipient = event.recipient.as_deref().unwrap_or_default();
            vec![
                format!("  {}", show::precise_time(&event.at)),
                event.event.clone(),
                show::said(show::address(recipient)),
                show::said(&event.detail),
            ]
        })
        .collect();
    print::table(&rows);
}
