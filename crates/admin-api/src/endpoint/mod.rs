//! The endpoints, one a file; named after what they act on, then the act.

pub(crate) mod bootstrap;
pub(crate) mod contact_add;
pub(crate) mod domain_add;
pub(crate) mod health;
pub(crate) mod list_add;
pub(crate) mod mailbox_add;
pub(crate) mod metrics;
pub(crate) mod object_change;
pub(crate) mod object_list;
pub(crate) mod object_remove;
pub(crate) mod object_show;
pub(crate) mod openapi;
pub(crate) mod password_set;
pub(crate) mod queue_act;
pub(crate) mod queue_act_many;
pub(crate) mod queue_list;
pub(crate) mod queue_show;
pub(crate) mod store_backup;
pub(crate) mod store_task;
pub(crate) mod summary;
pub(crate) mod trace;
