//! A device whose network changed comes back by another connection while requests are under way (RFC 5626 section 4.5):
//! what waits on the old one goes on by the new one, and a call that rings goes on ringing.

use super::Proxy;
use super::context::Cancel;
use super::source_of;
use crate::outbound::{Flow, FlowId, Hop};

impl Proxy {
    /// The device behind the flow `from` has registered the same place by the flow `to`: answers to its requests and
    /// requests to it take that one. What may have been lost on the old one is sent again; who had it takes it for the
    /// repetition that it is. Call it before [`Input::FlowClosed`](super::Input::FlowClosed), which ends what is left.
    ///
    /// That both flows are one device's is for the caller to know: a registrar that has asked for its key.
    pub fn flow_moved(&mut self, from: FlowId, to: &Flow) {
        let hop = Hop::from(to);
        let mut again = Vec::new();
        for (id, context) in &mut self.contexts {
            if context.flow.id == from {
                let (calling, privileged) =
                    (u32::from(context.calling), u32::from(context.privileged));
                let (old, new) = (source_of(&context.flow), source_of(to));
                if old != new {
                    if let Some(load) = self.sources.get_mut(&old) {
                        load.living = load.living.saturating_sub(1);
                        load.calling = load.calling.saturating_sub(calling);
                        load.privileged = load.privileged.saturating_sub(privileged);
                        if load.living == 0 {
                            self.sources.remove(&old);
                        }
                    }
                    let load = self.sources.entry(new).or_default();
                    load.living += 1;
                    load.calling += calling;
                    load.privileged += privileged;
                }
                context.flow = *to;
            }
            if context.upstream.flow() == Some(from) {
                context.upstream = hop.clone();
                if !context.last.is_empty() {
                    again.push((*id, context.last.clone()));
                }
            }
        }
        for (id, client) in &mut self.clients {
            for way in &mut client.ways {
                if way.hop.as_ref().and_then(Hop::flow) == Some(from) {
                    way.hop = Some(hop.clone());
                }
            }
            if client.hop.as_ref().and_then(Hop::flow) == Some(from) {
                client.hop = Some(hop.clone());
                if !client.sent.is_empty() {
                    again.push((*id, client.sent.to_vec()));
                }
                if let Cancel::Sent { bytes, .. } = &client.cancel {
                    again.push((*id, bytes.to_vec()));
                }
            }
        }
        // In the order in which they began.
        again.sort_by_key(|(id, _)| *id);
        for (_, bytes) in again {
            self.transmit(hop.clone(), bytes);
        }
    }
}
