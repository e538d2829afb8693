// The places of the app, in the order of the bar: who may open them, and which events change what they show. What that is
// stands in pages/NAME.js, in a function of the same name, and is loaded when somebody goes there.

const EVERYONE = ["owner", "adult", "child", "guest"];
const GROWN = ["owner", "adult"];

export const PAGES = [
  {
    name: "home", title: "Home", roles: EVERYONE, events: ["people", "devices", "device_revoked", "rooms", "agendas"],
    icon: "M4 11 12 4l8 7M6 10v10h12V10M10 20v-6h4v6",
  },
  {
    name: "messages", title: "Messages", roles: EVERYONE, events: ["message_queued", "message_state", "people", "devices"],
    icon: "M4 5h16v11H10l-4 4v-4H4z",
  },
  {
    name: "phone", title: "Phone", roles: ["owner", "adult", "child"], events: ["people", "devices", "device_revoked", "rooms", "contacts"],
    icon: "M5 4h14v16H5zM9 8h.5M12 8h.5M15 8h.5M9 12h.5M12 12h.5M15 12h.5M9 16h.5M12 16h.5M15 16h.5",
  },
  {
    name: "calls", title: "Calls", roles: GROWN, events: ["calls", "devices", "contacts"],
    icon: "M6 3h4l1.5 5L9 10a12 12 0 0 0 5 5l2-2.5 5 1.5v4c0 1-1 2-2 2A16 16 0 0 1 4 5c0-1 1-2 2-2z",
  },
  {
    name: "contacts", title: "Contacts", roles: ["owner", "adult", "child"], events: ["contacts"],
    icon: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3.5-6 8-6s8 2 8 6",
  },
  {
    name: "lines", title: "Lines", roles: GROWN, events: ["lines"],
    icon: "M5 20v-4M10 20v-8M15 20V8M20 20V4",
  },
  {
    name: "incidents", title: "Incidents", roles: GROWN, events: ["incidents", "devices"],
    icon: "M12 3 2.5 20h19zM12 10v4M12 17v.5",
  },
  {
    name: "readiness", title: "Readiness", roles: GROWN, events: ["lines", "devices", "device_revoked", "incidents"],
    icon: "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM8.5 12l2.5 2.5 4.5-5",
  },
  {
    name: "routines", title: "Routines", roles: GROWN, events: ["people", "devices", "device_revoked", "light_orders"],
    icon: "M13 3 5 14h6l-1 7 8-11h-6z",
  },
  {
    name: "settings", title: "Settings", roles: EVERYONE, events: ["people", "devices"],
    icon: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  },
];
