"""The application permissions of Microsoft Graph that the tenant knows, with their ids.

https://learn.microsoft.com/graph/permissions-reference
"""

# The application id that Microsoft Graph has in every tenant.
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
# Microsoft's own public client for command lines ("Microsoft Graph Command Line Tools"), known in every tenant.
COMMAND_LINE_APP_ID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

# SharePoint's own application, with the permissions for its REST interface.
SHAREPOINT_APP_ID = "00000003-0000-0ff1-ce00-000000000000"

SHAREPOINT_ROLE_IDS = {
    "Sites.FullControl.All": "678536fe-1083-478a-9c59-b99265e6b0d3",
    "Sites.Manage.All": "9bff6588-13f2-4c48-bbf2-ddab62256b36",
    "Sites.Read.All": "d13f72ca-a275-4b96-b789-48ebcc4da984",
    "Sites.ReadWrite.All": "fbcd29d2-fcca-4405-aded-518d457caae4",
}
APP_ROLE_IDS = {
    "AppCatalog.Read.All": "e12dae10-5a57-4817-b79d-dfbec5348930",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "Calendars.Read": "798ee544-9d2d-430c-a058-570e29e34338",
    "Calendars.ReadWrite": "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
    "Channel.Create": "f3a65bd4-b703-46df-8f7e-0174fea562aa",
    "Channel.Delete.All": "6a118a39-1227-45d4-af0c-ea7b40d210bc",
    "Channel.ReadBasic.All": "59a6b24b-4225-4393-8165-ebaec5f55d7a",
    "ChannelMember.Read.All": "3b55498e-47ec-484f-8136-9013221c06a9",
    "ChannelMember.ReadWrite.All": "35930dcf-aceb-4bd1-b99a-8ffed403c974",
    "ChannelMessage.Read.All": "7b2449af-6ccd-4f4d-9f78-e550c193f0d1",
    "ChannelSettings.Read.All": "c97b873f-f59f-49aa-8a0e-52b32d762124",
    "ChannelSettings.ReadWrite.All": "243cded2-bd16-4fd6-a953-ff8177894c3d",
    "Chat.Create": "d9c48af6-9ad9-47ad-82c3-63757137b9af",
    "Chat.Read.All": "6b7d71aa-70aa-4810-a8d9-5d9fb2830017",
    "Chat.ReadBasic.All": "b2e060da-3baf-4687-9611-f4ebc0f0cbde",
    "Chat.ReadWrite.All": "294ce7c9-31ba-490a-ad7d-97a7d075e4ed",
    "ChatMember.Read.All": "a3410be2-8e48-4f32-8454-c29a7465209d",
    "ChatMember.ReadWrite.All": "57257249-34ce-4810-a8a2-a03adf0c5693",
    "Contacts.Read": "089fe4d0-434a-44c5-8827-41ba8a0b17f5",
    "Contacts.ReadWrite": "6918b873-d17a-4dc1-b314-35f528134491",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Files.Read.All": "01d4889c-1287-42c6-ac1f-5d1e02578ef6",
    "Files.ReadWrite.All": "75359482-378d-4052-8f01-80520e7db3cd",
    "Group-Conversation.Read.All": "4f0a8235-6f6f-4ec7-9500-34b452a4a0c3",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "LicenseAssignment.Read.All": "e2f98668-2877-4f38-a2f4-8202e0717aa1",
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "Mail.ReadBasic.All": "693c5e45-0940-467d-9b8a-1022fb9d42ef",
    "Mail.ReadWrite": "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
    "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    "MailboxConfigItem.Read": "27d9d776-f4d2-426d-80ad-5f22f2b01b0a",
    "MailboxConfigItem.ReadWrite": "aa6d92d4-b25a-4640-aefe-3e3231e5e736",
    "MailboxFolder.Read.All": "99280d24-a782-4793-93cc-0888549957f6",
    "MailboxFolder.ReadWrite.All": "fef87b92-8391-4589-9da7-eb93dab7dc8a",
    "MailboxItem.Export.All": "937550e9-33a3-494b-88ae-d9cd394b1fbb",
    "MailboxItem.ImportExport.All": "76577085-e73d-4f1d-b26a-85fb33892327",
    "MailboxItem.Read.All": "7d9f353d-a7bd-4fbb-822a-26d5dd39a3ce",
    "MailboxItem.ReadWrite.All": "1583d471-fede-4e7c-b062-57e9d60cfb49",
    "MailboxSettings.Read": "40f97065-369a-49f4-947c-6a255697ae91",
    "MailboxSettings.ReadWrite": "6931bccd-447a-43d1-b442-00a195474933",
    "Notes.Read.All": "3aeca27b-ee3a-4c2b-8ded-80376e2134a4",
    "Notes.ReadWrite.All": "0c458cef-11f3-48c2-a568-c66751c238c0",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "Place.Read.All": "913b9306-0ce1-42b8-9137-6a7df690a760",
    "ReportSettings.Read.All": "ee353f83-55ef-4b78-82da-555bfa2b4b95",
    "Reports.Read.All": "230c1aed-a721-4c5d-9cb4-a90514e508ef",
    "Sites.FullControl.All": "a82116e5-55eb-4c41-a434-62fe8a61c773",
    "Sites.Manage.All": "0c0bf378-bf22-4481-8f81-9e89a9b4960a",
    "Sites.Read.All": "332a536c-c7ef-4017-ab91-336970924f0d",
    "Sites.ReadWrite.All": "9492366f-7969-46a4-8d15-ed1a20078fff",
    "Sites.Selected": "883ea226-0bf2-4a8f-9f9d-92c9162a727d",
    "Tasks.Read.All": "f10e1f91-74ed-437f-a6fd-d6ae88e26c1f",
    "Tasks.ReadWrite.All": "44e666d1-d276-445b-a5fc-8815eeb81d55",
    "Team.Create": "23fc2474-f741-46ce-8465-674744c5c361",
    "Team.ReadBasic.All": "2280dda6-0bfd-44ee-a2f4-cb867cfc4c1e",
    "TeamMember.Read.All": "660b7406-55f1-41ca-a0ed-0b035e182f3e",
    "TeamMember.ReadWrite.All": "0121dc95-1b9f-4aed-8bac-58c5ac466691",
    "TeamSettings.Read.All": "242607bd-1d2c-432c-82eb-bdb27baa23ab",
    "TeamSettings.ReadWrite.All": "bdd80a03-d9bc-451d-b7c4-ce7c63fe3c8f",
    "TeamsAppInstallation.ReadForChat.All": "cc7e7635-2586-41d6-adaa-a8d3bcad5ee5",
    "TeamsAppInstallation.ReadForTeam.All": "1f615aea-6bf9-4b05-84bd-46388e138537",
    "TeamsAppInstallation.ReadWriteForTeam.All": "5dad17ba-f6cc-4954-a5a2-a0dcc95154f0",
    "TeamsTab.Create": "49981c42-fd7b-4530-be03-e77b21aed25e",
    "TeamsTab.Read.All": "46890524-499a-4bb2-ad64-1476b4f3e1cf",
    "TeamsTab.ReadWrite.All": "a96d855f-016b-47d7-b51c-1218a98d791c",
    "Teamwork.Migrate.All": "dfb0dd15-61de-45b2-be36-d6a69fba3c79",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
}
ROLE_NAMES = {role_id: name for name, role_id in APP_ROLE_IDS.items()}
SHAREPOINT_ROLE_NAMES = {role_id: name for name, role_id in SHAREPOINT_ROLE_IDS.items()}
