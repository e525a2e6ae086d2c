"""DingTalk (钉钉): an enterprise robot, over HTTP or Stream. Protocol: https://open.dingtalk.com/document/."""
