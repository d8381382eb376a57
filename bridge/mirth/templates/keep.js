// The translation is in msg, and stays in the message browser. To hand it on, put here:
// router.routeMessageByChannelId('ID OF THE NEXT CHANNEL', bridgeBody);
